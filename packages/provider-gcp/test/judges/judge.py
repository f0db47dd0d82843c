"""Judges the emulator and the provider by what Google itself publishes.

validate FILE           every recorded exchange against the discovery document, in both directions
plain URL TOKEN PROJECT     google-cloud-compute lists all instances, looks whether all run, and deletes them all
clients URL TOKEN PROJECT   Google's two clients and Apache Libcloud create, list, read and delete on the emulator

Prints one line of JSON: {"calls": n, "failures": [text]}.
"""

import importlib.resources
import json
import re
import sys
import time
import uuid
from urllib.parse import urlsplit

failures = []
calls = 0


def document(name="compute.v1"):
    folder = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents"
    return json.loads((folder / f"{name}.json").read_text())


# --- the discovery document as a schema ---


def json_schema(node):
    """A schema of the document as JSON Schema: closed objects, anchored patterns, 64-bit numbers as strings."""
    if "$ref" in node:
        return {"$ref": "#/$defs/" + node["$ref"]}
    kind = node.get("type")
    if kind == "any":
        return {}
    out = {"type": kind}
    if kind == "object":
        out["properties"] = {name: json_schema(value) for name, value in node.get("properties", {}).items()}
        more = node.get("additionalProperties")
        out["additionalProperties"] = json_schema(more) if more else False
    elif kind == "array":
        out["items"] = json_schema(node["items"])
    if node.get("format") in ("int64", "uint64"):
        out["pattern"] = "^-?[0-9]{1,20}$"
    elif "pattern" in node:
        out["pattern"] = "^(?:" + node["pattern"] + ")$"
    if "enum" in node:
        out["enum"] = node["enum"]
    return out


def methods_of(resources):
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from methods_of(resource.get("resources", {}))


def validate(path):
    from jsonschema import Draft202012Validator

    global calls
    # Prices are of another API, with a document and schemas of its own.
    documents = {"compute": document(), "prices": document("cloudbilling.v1")}
    defs = {
        api: {name: json_schema(schema) for name, schema in doc["schemas"].items()} for api, doc in documents.items()
    }
    common = set(documents["compute"]["parameters"]) | set(documents["prices"]["parameters"])
    table = []
    for api, doc in documents.items():
        for method in methods_of(doc["resources"]):
            pattern = re.sub(r"\{\+?(\w+)\}", r"(?P<\1>[^/]+)", method["flatPath"])
            table.append((method["httpMethod"], re.compile("^" + pattern + "$"), {**method, "api": api}))
    validators = {}

    def check(where, api, name, value):
        if (api, name) not in validators:
            validators[api, name] = Draft202012Validator({"$defs": defs[api], "$ref": "#/$defs/" + name})
        for error in validators[api, name].iter_errors(value):
            failures.append(f"{where}: {'/'.join(map(str, error.path))}: {error.message[:200]}")

    seen = set()
    dates = set()
    for line in open(path, encoding="utf8"):
        one = json.loads(line)
        calls += 1
        path_ = one["path"].lstrip("/")
        found = next((m for verb, pattern, m in table if verb == one["method"] and pattern.match(path_)), None)
        where = f"{one['method']} {path_}"
        if found is None:
            failures.append(f"{where}: the document has no such method")
            continue
        if found.get("apiVersion") != one["version"]:
            failures.append(f"{where}: sent for {one['version']}, the document is of {found.get('apiVersion')}")
        if "apiVersion" in found:
            dates.add(found["apiVersion"])
        seen.add(found["id"])
        where = f"{found['id']} ({one['status']})"
        parameters = found.get("parameters", {})
        match = re.match("^" + re.sub(r"\{\+?(\w+)\}", r"(?P<\1>[^/]+)", found["flatPath"]) + "$", path_)
        # A path of the price list names its parts otherwise than the method's parameters.
        named = match.groupdict().items() if found["api"] == "compute" else []
        for name, value in [*named, *one["query"].items()]:
            if name not in parameters and name not in common:
                failures.append(f"{where}: the parameter {name} is not in the document")
            elif "pattern" in parameters.get(name, {}) and not re.fullmatch(parameters[name]["pattern"], value):
                failures.append(f"{where}: the parameter {name} may not be {value}")
        if one["request"] is not None:
            if "request" not in found:
                failures.append(f"{where}: it takes no body")
            else:
                check(f"{where} request", found["api"], found["request"]["$ref"], one["request"])
        if one["status"] == 200 and one["response"] is not None:
            check(f"{where} answer", found["api"], found["response"]["$ref"], one["response"])
    print(f"methods: {', '.join(sorted(seen))}; version {', '.join(sorted(dates))}", file=sys.stderr)


# --- clients that nobody here wrote ---


def call(what, work):
    global calls
    calls += 1
    try:
        return work()
    except Exception as error:  # each is a verdict
        failures.append(f"{what}: {type(error).__name__}: {str(error)[:300]}")
        return None


ZONE = "us-central1-b"


def body(name):
    return {
        "name": name,
        "machineType": f"zones/{ZONE}/machineTypes/e2-medium",
        "disks": [
            {
                "boot": True,
                "autoDelete": True,
                "initializeParams": {
                    "sourceImage": "projects/debian-cloud/global/images/family/debian-12",
                    "diskSizeGb": "10",
                },
            }
        ],
        "networkInterfaces": [{"network": "global/networks/default"}],
    }


def expect(what, condition):
    if not condition:
        failures.append(f"{what}: not what was expected")


def api_client(url, token, project):
    import httplib2
    from googleapiclient.discovery import build_from_document

    doc = document()
    doc["rootUrl"] = url + "/"
    doc["mtlsRootUrl"] = url + "/"

    class Http(httplib2.Http):
        def request(self, uri, method="GET", body=None, headers=None, **more):
            headers = {**(headers or {}), "authorization": f"Bearer {token}"}
            return super().request(uri, method=method, body=body, headers=headers, **more)

    service = build_from_document(doc, http=Http())
    at = {"project": project, "zone": ZONE}

    def wait(operation):
        done = operation
        while done["status"] != "DONE":
            done = service.zoneOperations().wait(operation=operation["name"], **at).execute()
        if "error" in done:
            raise RuntimeError(json.dumps(done["error"]))
        return done

    instances = service.instances()
    call("api-client zones", lambda: service.zones().list(project=project).execute())
    made = call(
        "api-client insert",
        lambda: wait(instances.insert(body=body("by-api-client"), requestId=str(uuid.uuid4()), **at).execute()),
    )
    got = call("api-client get", lambda: instances.get(instance="by-api-client", **at).execute())
    expect("api-client get", got is not None and made is not None and got["id"] == made["targetId"])
    listed = call("api-client list", lambda: instances.list(filter='name = "by-api-client"', **at).execute())
    expect("api-client list", listed is not None and len(listed["items"]) == 1)
    everywhere = call(
        "api-client aggregatedList",
        lambda: instances.aggregatedList(project=project, filter="name eq by-.*", maxResults=500).execute(),
    )
    expect("api-client aggregatedList", everywhere is not None and f"zones/{ZONE}" in everywhere["items"])
    call(
        "api-client prices",
        lambda: service.advice()
        .capacityHistory(
            project=project,
            region="us-central1",
            body={
                "instanceProperties": {"machineType": "e2-medium", "scheduling": {"provisioningModel": "SPOT"}},
                "types": ["PRICE"],
            },
        )
        .execute(),
    )
    call("api-client operations", lambda: service.zoneOperations().list(filter='status != "DONE"', **at).execute())
    if made is not None:
        call("api-client delete", lambda: wait(instances.delete(instance=made["targetId"], **at).execute()))


def cloud_options(url, token):
    from google.auth.credentials import AnonymousCredentials

    class Token(AnonymousCredentials):
        def apply(self, headers, token_=None):
            headers["authorization"] = f"Bearer {token}"

        def before_request(self, request, method, target, headers):
            self.apply(headers)

    return {"client_options": {"api_endpoint": url}, "credentials": Token()}


def plain(url, token, project):
    from google.cloud import compute_v1

    options = cloud_options(url, token)
    instances = compute_v1.InstancesClient(**options)
    operations = compute_v1.ZoneOperationsClient(**options)

    def everything():
        wanted = compute_v1.AggregatedListInstancesRequest(project=project, max_results=500)
        return [one for _, scope in instances.aggregated_list(wanted) for one in scope.instances]

    found = call("plain list", everything)
    again = call("plain wait", everything)
    expect("plain wait", all(one.status == "RUNNING" for one in again))
    begun = []
    for one in found:
        zone = one.zone.rsplit("/", 1)[1]
        begun.append((zone, call("plain delete", lambda: instances.delete_unary(project=project, zone=zone, instance=one.name))))
    for zone, operation in begun:
        done = operation
        while done is not None and done.status != compute_v1.Operation.Status.DONE:
            name = done.name
            done = call("plain wait", lambda: operations.wait(project=project, zone=zone, operation=name))
        expect("plain delete", done is not None and not done.error.errors)


def cloud_compute(url, token, project):
    from google.cloud import compute_v1

    options = cloud_options(url, token)
    instances = compute_v1.InstancesClient(**options)
    operations = compute_v1.ZoneOperationsClient(**options)
    zones = compute_v1.ZonesClient(**options)

    def wait(operation):
        done = operation
        while done.status != compute_v1.Operation.Status.DONE:
            done = operations.wait(project=project, zone=ZONE, operation=operation.name)
        if done.error.errors:
            raise RuntimeError(str(done.error))
        return done

    resource = compute_v1.Instance.from_json(json.dumps(body("by-cloud-compute")))
    call("cloud-compute zones", lambda: list(zones.list(project=project)))
    made = call(
        "cloud-compute insert",
        lambda: wait(instances.insert_unary(project=project, zone=ZONE, instance_resource=resource)),
    )
    got = call("cloud-compute get", lambda: instances.get(project=project, zone=ZONE, instance="by-cloud-compute"))
    expect("cloud-compute get", got is not None and made is not None and got.id == made.target_id)
    listed = call("cloud-compute list", lambda: list(instances.list(project=project, zone=ZONE)))
    expect("cloud-compute list", listed is not None and any(one.name == "by-cloud-compute" for one in listed))
    scopes = call("cloud-compute aggregated", lambda: dict(instances.aggregated_list(project=project)))
    expect("cloud-compute aggregated", scopes is not None and len(scopes[f"zones/{ZONE}"].instances) >= 1)
    call(
        "cloud-compute delete",
        lambda: wait(instances.delete_unary(project=project, zone=ZONE, instance="by-cloud-compute")),
    )


def libcloud(url, token, project):
    from libcloud.common import google
    from libcloud.compute.drivers import gce

    at = urlsplit(url)

    class Connection(gce.GCEConnection):
        host = at.hostname
        port = at.port
        secure = False

        def __init__(self, *args, **more):
            more.update({"secure": False, "host": at.hostname, "port": at.port})
            more.pop("credential_file", None)
            google.GoogleBaseConnection.__bases__[0].__init__(self, args[0], None, secure=False, host=at.hostname, port=at.port)
            self.scope = []
            self.project = project
            self.gce_params = None
            self.request_path = f"/compute/v1/projects/{project}"

        def pre_connect_hook(self, params, headers):
            headers["Authorization"] = f"Bearer {token}"
            return params, headers

        def add_default_headers(self, headers):
            headers["Content-Type"] = "application/json"
            return headers

    class Driver(gce.GCENodeDriver):
        connectionCls = Connection

        def _ex_connection_class_kwargs(self):
            return {}

    driver = call("libcloud connects", lambda: Driver("user", "key", project=project, datacenter=ZONE))
    if driver is None:
        return

    def create():
        # Its create_node asks for sizes, images and networks one by one; its wire calls are what is judged.
        answer = driver.connection.async_request(f"/zones/{ZONE}/instances", method="POST", data=body("by-libcloud"))
        return answer.object

    call("libcloud create", create)
    nodes = call("libcloud list", lambda: driver.list_nodes(ex_use_disk_cache=False))
    expect("libcloud list", nodes is not None and any(node.name == "by-libcloud" for node in nodes))
    node = call("libcloud get", lambda: driver.ex_get_node("by-libcloud", zone=ZONE))
    if node is not None:
        expect("libcloud get", str(node.state) in ("running", "pending"))
        call("libcloud delete", lambda: driver.destroy_node(node))


def clients(url, token, project):
    api_client(url, token, project)
    cloud_compute(url, token, project)
    libcloud(url, token, project)


if __name__ == "__main__":
    began = time.monotonic()
    {"validate": validate, "clients": clients, "plain": plain}[sys.argv[1]](*sys.argv[2:])
    print(f"{time.monotonic() - began:.1f} s", file=sys.stderr)
    print(json.dumps({"calls": calls, "failures": failures[:50]}))
