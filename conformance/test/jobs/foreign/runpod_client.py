"""Rents a pod through @runpod/mcp-server, logs in with paramiko, and prints what it saw as JSON."""

import json
import os
import subprocess
import sys
import time

import paramiko
from logged_in import connected, read_when_made, run

# It puts the version of the API behind the address itself.
variables = {
    "PATH": os.environ["PATH"],
    "RUNPOD_API_KEY": os.environ["RUNPOD_API_KEY"],
    "RUNPOD_API_BASE_URL": os.environ["RUNPOD_BASE_URL"].removesuffix("/v2"),
}
server = subprocess.Popen(
    [os.environ["NODE"], os.environ["RUNPOD_MCP"]], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
asked = 0


def send(message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    server.stdin.flush()


def ask(method, params):
    global asked
    asked += 1
    send({"id": asked, "method": method, "params": params})
    for line in server.stdout:
        answer = json.loads(line)
        if answer.get("id") == asked:
            return answer["result"]
    raise EOFError("the server ended")


def call(tool, **arguments):
    result = ask("tools/call", {"name": tool, "arguments": arguments})
    text = result["content"][0]["text"]
    if result.get("isError"):
        raise RuntimeError(f"{tool}: {text}")
    return json.loads(text)


client_info = {"name": "tests", "version": "1"}
ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client_info})
send({"method": "notifications/initialized"})

key = paramiko.RSAKey.generate(2048)
seen = {}
call("update-ssh-keys", body={"keys": [f"ssh-rsa {key.get_base64()} somebody"]})
seen["keys"] = len(call("get-ssh-keys")["keys"])
command = "/bin/sh -c 'echo made by its command >/made; exec sleep 1000'"
pod = call(
    "create-pod",
    body={"name": "a", "image": "ubuntu:24.04", "gpu": {"id": "NVIDIA L4"}, "ports": ["22/tcp"], "startSsh": True, "args": command},
)
seen["gpus"] = pod["gpu"]["count"]
until = time.monotonic() + 60
while not (direct := call("get-pod", id=pod["id"])["ssh"]["direct"]):
    if time.monotonic() > until:
        raise TimeoutError("the pod cannot be reached")
    time.sleep(0.2)
client = connected(direct["host"], direct["username"], key, direct["port"])
seen["made"] = read_when_made(client, "/made")
_, seen["exit_code"] = run(client, "exit 7")
client.close()
call("delete-pod", id=pod["id"])
seen["left"] = [one["id"] for one in call("list-pods")["pods"]]
server.stdin.close()
seen["ended"] = server.wait(timeout=30)
json.dump(seen, sys.stdout)
