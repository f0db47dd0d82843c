"""Launches instances with lambda-cloud-cli, logs in with paramiko, and prints what it saw as JSON."""

import contextlib
import io
import json
import os
import runpy
import sys
import time

import paramiko
from lambda_cloud_cli.lambda_api_client import LambdaAPIClient
from logged_in import connected, read_when_made, run

# It has no setting for the address, only a default.
LambdaAPIClient.__init__.__defaults__ = (os.environ["LAMBDA_BASE_URL"].rstrip("/"),)
os.environ["API_KEY"] = os.environ["LAMBDA_API_KEY"]
key = paramiko.RSAKey.generate(2048)


def command(*words):
    """A line of `lambda-cli`, and what it prints."""
    out = io.StringIO()
    sys.argv = ["lambda-cli", *words]
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        # Its module is its program.
        runpy.run_module("lambda_cloud_cli.cli", run_name="lambda_cloud_cli.cli")
    return out.getvalue()


def address_of(name):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = json.loads(command("get-instance", "--instance-name", name, "--json"))["data"]
        if found["status"] == "active" and found.get("ip"):
            return found["ip"]
        time.sleep(0.2)
    raise TimeoutError(name)


seen = {}
command("add-ssh-key", "--name", "laptop", "--public-key", f"ssh-rsa {key.get_base64()} somebody")
place = {"region_name": "us-east-1", "instance_type_name": "gpu_1x_a10", "ssh_key_names": ["laptop"]}

# As its command launches; it knows no user data.
words = ["--region-name", "us-east-1", "--instance-type", "gpu_1x_a10", "--ssh-key-name", "laptop"]
said = command("launch-instance", *words, "--name", "by-command", "--yes")
seen["launched"] = "launched successfully" in said
client = connected(address_of("by-command"), "ubuntu", key)
_, seen["exit_code"] = run(client, "exit 7")
client.close()

# As its client launches.
script = "#!/bin/sh\necho made by the user data >/made\n"
LambdaAPIClient(os.environ["API_KEY"]).launch_instance({**place, "name": "by-client", "user_data": script})
client = connected(address_of("by-client"), "ubuntu", key)
seen["made"] = read_when_made(client, "/made")
client.close()

seen["listed"] = [name in command("list-instances") for name in ("by-command", "by-client")]
said = command("terminate-instance", "--instance-name", "by-command", "--instance-name", "by-client", "--yes")
seen["terminated"] = "Terminated 2 instance(s)" in said
seen["left"] = [name in command("list-instances") for name in ("by-command", "by-client")]
json.dump(seen, sys.stdout)
