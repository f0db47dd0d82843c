"""Launches an instance with boto3, logs in with paramiko, and prints what it saw as JSON."""

import json
import sys

import boto3
import paramiko
from logged_in import answer_after_reboot, connected, read_when_made, run

key = paramiko.RSAKey.generate(2048)
user_data = f"""#cloud-config
ssh_authorized_keys: ["ssh-rsa {key.get_base64()} somebody"]
runcmd:
  - [sh, -c, "echo made by the user data >/made; echo said on the console"]
"""

# Region, address and credentials come from the variables that the emulator printed.
ec2 = boto3.client("ec2")
image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
launched = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, UserData=user_data)
instance_id = launched["Instances"][0]["InstanceId"]
ec2.get_waiter("instance_running").wait(InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
address = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]["PublicIpAddress"]

seen = {"address": address}
client = connected(address, "ec2-user", key)
seen["made"] = read_when_made(client, "/made")
_, seen["exit_code"] = run(client, "exit 7")
blob = bytes(range(256)) * 4096
echoed, _ = run(client, "cat", blob)
seen["is_whole"] = echoed == blob
client.close()

ec2.reboot_instances(InstanceIds=[instance_id])
seen["after_reboot"] = answer_after_reboot(address, "ec2-user", key, "cat /made")
console = ec2.get_console_output(InstanceId=instance_id, Latest=True)["Output"]
seen["console"] = "said on the console" in console

ec2.stop_instances(InstanceIds=[instance_id])
ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
stopped = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
seen["address_when_stopped"] = stopped.get("PublicIpAddress")
ec2.terminate_instances(InstanceIds=[instance_id])
ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
json.dump(seen, sys.stdout)
