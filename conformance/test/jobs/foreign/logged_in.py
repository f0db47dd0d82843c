"""What every program here does once it knows an address: log in with paramiko, and run commands."""

import io
import time

import paramiko


# What a server does that is not up yet, or goes down: paramiko has no word of its own for the last.
GONE = (OSError, paramiko.SSHException, EOFError)


def connected(address, user, key, port=22):
    """sshd may be up after the instance runs, as everywhere."""
    until = time.monotonic() + 60
    while True:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        try:
            client.connect(
                address, port=port, username=user, pkey=key, look_for_keys=False, allow_agent=False, timeout=10
            )
            return client
        except GONE:
            client.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def run(client, command, stdin=b""):
    channel = client.get_transport().open_session()
    channel.exec_command(command)
    if stdin:
        channel.sendall(stdin)
        channel.shutdown_write()
    out = io.BytesIO()
    while chunk := channel.recv(65536):
        out.write(chunk)
    return out.getvalue(), channel.recv_exit_status()


def answer_after_reboot(address, user, key, command):
    """Its sshd from before may still take the connection, and is ended in the middle."""
    until = time.monotonic() + 60
    while True:
        client = connected(address, user, key)
        try:
            answer, exit_code = run(client, command)
            if exit_code >= 0 or time.monotonic() > until:
                return answer.decode()
        except GONE:
            if time.monotonic() > until:
                raise
        finally:
            client.close()
        time.sleep(0.5)


def read_when_made(client, file):
    made, _ = run(client, f"while [ ! -s {file} ]; do sleep 0.1; done; cat {file}")
    return made.decode()
