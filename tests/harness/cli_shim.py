"""A warm AWS CLI: loads the real awscli once, and runs each call in that one process.

`Shim(folder)` starts the server and leaves an `aws` in `folder/bin` that hands its arguments, environment, working
folder and file descriptors over a socket.  A call takes about 0.1 s instead of 0.6 s; what runs is awscli's own main.
A `sleep` beside it returns at once, and `python3` is this Python itself: a launcher on PATH may take five times as long.

With HARNESS_CALLS in its environment that `aws` notes each call there, and with HARNESS_AT it disturbs the call of that
number: HARNESS_DO is an error to answer with, or says when to kill the whole script, or that the answer is lost: then the
caller learns nothing, or (`twice`) what the CLI hears when it has tried again.
"""
import array
import json
import os
import socket
import subprocess
import sys
import time

CLIENT = r"""
import array, json, os, signal, socket, sys
env, what = dict(os.environ), ""
if "HARNESS_CALLS" in env and "--generate-cli-skeleton" not in sys.argv:  # that one asks nobody
    with open(env["HARNESS_CALLS"], "a+") as calls:
        calls.seek(0)
        number = len(calls.readlines()) + 1
        calls.write(json.dumps(sys.argv[2:]) + "\n")
    what = env["HARNESS_DO"] if env.get("HARNESS_AT") == str(number) else ""
error = {
    "throttle": "An error occurred (%s) when calling the operation (reached max retries: 4): Please reduce your request rate."
                % ("SlowDown" if sys.argv[2] == "s3api" else "ThrottlingException"),
    "denied": "An error occurred (AccessDenied) when calling the operation: injected",
    "network": "Could not connect to the endpoint URL: \"https://injected/\"",
}.get(what)
if error:
    sys.exit("\n" + error)
if what == "kill before":
    os.killpg(os.getpgrp(), signal.SIGKILL)
def call(*fds):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
    s.sendall(json.dumps({"argv": sys.argv[2:], "cwd": os.getcwd(), "env": env}).encode())
    s.shutdown(socket.SHUT_WR)
    return int(s.recv(16) or 255)
if what in ("lost", "twice"):
    nowhere = os.open(os.devnull, os.O_RDWR)
    call(nowhere, nowhere, nowhere)
if what == "lost":
    sys.exit("\nConnection was closed before we received a valid response from endpoint URL: \"https://injected/\".")
code = call(0, 1, 2)
if what == "kill after":
    os.killpg(os.getpgrp(), signal.SIGKILL)
sys.exit(code)
"""


class Shim:
    def __init__(self, folder):
        self.bin = os.path.join(folder, "bin")
        os.makedirs(self.bin)
        path, client = os.path.join(folder, "aws.socket"), os.path.join(folder, "aws-client.py")
        with open(client, "w") as out:
            out.write(CLIENT)
        with open(os.path.join(self.bin, "aws"), "w") as out:
            out.write(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{client}' '{path}' \"$@\"\n")
        with open(os.path.join(self.bin, "sleep"), "w") as out:
            out.write("#!/bin/sh\n")
        for name in ("aws", "sleep"):
            os.chmod(os.path.join(self.bin, name), 0o755)
        os.symlink(os.path.realpath(sys.executable), os.path.join(self.bin, "python3"))
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), path])
        deadline = time.monotonic() + 60
        while not os.path.exists(path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the AWS CLI server did not start")
            time.sleep(0.05)

    def close(self):
        self.process.terminate()
        self.process.wait()


def preload():
    """Imports awscli and fills its cache of service models: the expensive part of a call."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    from awscli.clidriver import create_clidriver
    driver = create_clidriver()
    loader = driver.session.get_component("data_loader")
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2"):
        for service in {"s3", "sts", "cloudtrail"} & set(loader.list_available_services(kind)):
            loader.load_service_model(service, kind)
    for name in ("endpoints", "partitions", "cli", "_retry", "sdk-default-configuration"):
        loader.load_data(name)
    return driver


def forget(session):
    """Nothing of the call before: configuration, profile, credentials, and the flags that became variables."""
    session._config = session._profile_map = session._credentials = session._profile = None
    session._session_instance_vars.clear()
    session._register_credential_provider()


def run(driver, call, fds):
    ours, data = [os.dup(number) for number in range(3)], os.environ.get("AWS_DATA_PATH")  # awscli set it on import
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(call["cwd"])
    os.environ.clear()
    os.environ.update(call["env"], **({"AWS_DATA_PATH": data} if data else {}))
    sys.argv = ["aws", *call["argv"]]
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)
    forget(driver.session)
    try:
        code = driver.main(call["argv"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 255 if end.code else 0
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.close()
        except BrokenPipeError:
            pass
    sys.stdin, sys.stdout, sys.stderr = streams
    for number, fd in enumerate(ours):
        os.dup2(fd, number)
        os.close(fd)
    return (code or 0) & 255


def serve(path):
    driver = preload()
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + ".new")
    server.listen(64)
    os.rename(path + ".new", path)
    while True:
        connection, _ = server.accept()
        fds = array.array("i")
        _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_LEN(3 * fds.itemsize))
        fds.frombytes(ancillary[0][2])
        try:
            with connection.makefile("rb") as stream:
                call = json.load(stream)
            connection.sendall(str(run(driver, call, fds)).encode())
        except (BrokenPipeError, ValueError):
            pass  # the caller was killed
        connection.close()


if __name__ == "__main__":
    serve(sys.argv[1])
