"""A warm AWS CLI: loads the real awscli once, and runs each call in that one process.

`Shim(folder)` starts the server, on another Python with modules of its own if these are given, and leaves an `aws` in
`folder/bin` that hands its arguments, environment, working folder and file descriptors over a socket.  A call takes about 0.04 s instead of 0.6 s; what runs is awscli's own main.
A `sleep` beside it returns at once, and `python3` is a warm one, too.

With HARNESS_CALLS in its environment that `aws` notes each call there, and with HARNESS_AT it disturbs the call of that
number: HARNESS_DO is an error to answer with, or says when to kill the whole script, or that the answer is lost: then the
caller learns nothing, or (`twice`) what the CLI hears when it has tried again.
"""
import json
import os
import sys

from pathlib import Path

if __name__ == "__main__":  # a server, which is started by its path
    sys.path[0] = str(Path(__file__).resolve().parents[1])
from harness import python_shim, warm

ERRORS = {
    "throttle": "An error occurred (%s) when calling the operation (reached max retries: 4): Please reduce your request rate.",
    "denied": "An error occurred (AccessDenied) when calling the operation: injected",
    "network": "Could not connect to the endpoint URL: \"https://injected/\"",
    "lost": "Connection was closed before we received a valid response from endpoint URL: \"https://injected/\".",
}


class Shim:
    def __init__(self, folder, python=sys.executable, modules=None):
        self.bin = os.path.join(folder, "bin")
        os.makedirs(self.bin)
        with open(os.path.join(self.bin, "sleep"), "w") as out:
            out.write("#!/bin/sh\n")
        os.chmod(os.path.join(self.bin, "sleep"), 0o755)
        self.servers = [
            warm.start(["env", f"PYTHONPATH={modules or ''}", python, os.path.abspath(__file__)], os.path.join(self.bin, "aws"), os.path.join(folder, "aws.socket")),
            python_shim.start(os.path.join(self.bin, "python3"), os.path.join(folder, "python.socket")),
        ]

    def close(self):
        for server in self.servers:
            server.terminate()
            server.wait()


def preload():
    """Imports awscli and fills its cache of service models: the expensive part of a call."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    from awscli.clidriver import create_clidriver
    driver = create_clidriver()
    loader = driver.session.get_component("data_loader")
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2"):
        for service in {"s3", "sts", "cloudtrail"} & set(loader.list_available_services(kind)):
            loader.load_service_model(service, kind)
    for name in ("endpoints", "partitions", "cli"):
        loader.load_data(name)
    remember()
    return driver, listeners(driver)


def listeners(driver):
    """What a call makes the session listen to, (event, handler), from here on: a CLI has one call, and adds it each time."""
    added, emit, register = [], driver._emit_session_event, driver.session.register

    def noted(event, handler, *args, **kwargs):
        added.append((event, handler))
        register(event, handler, *args, **kwargs)

    def emits(parsed_args):
        driver.session.register = noted
        try:
            emit(parsed_args)
        finally:
            del driver.session.register
    driver._emit_session_event = emits
    return added


def remember():
    """Keeps what botocore makes anew for each client out of the same data: the class, and the rules of its endpoints."""
    from botocore import client, regions

    def once(make, name):
        kept = {}

        def made(*args, **kwargs):
            at = name(*args, **kwargs)
            if at not in kept:
                kept[at] = make(*args, **kwargs), args, kwargs  # what is kept has no other's id
            return kept[at][0]
        return made

    creator = client.ClientCreator
    creator._create_client_class = once(creator._create_client_class, lambda creator, service, model: service)
    regions.EndpointProvider = once(regions.EndpointProvider, lambda ruleset_data, partition_data: (id(ruleset_data), id(partition_data)))


def forget(session, added):
    """Nothing of the call before: configuration, profile, credentials, the flags that became variables, and what listens."""
    while added:
        session.unregister(*added.pop())
    session._config = session._profile_map = session._credentials = session._profile = None
    session._session_instance_vars.clear()
    session._register_credential_provider()


def disturbance(call):
    """Notes the call where that is wanted; what is to be done with one of its number."""
    if "HARNESS_CALLS" not in call.env or "--generate-cli-skeleton" in call.argv:  # that one asks nobody
        return ""
    with open(os.path.join(call.cwd, call.env["HARNESS_CALLS"]), "a+") as calls:
        calls.seek(0)
        number = len(calls.readlines()) + 1
        calls.write(json.dumps(call.argv) + "\n")
    return call.env["HARNESS_DO"] if call.env.get("HARNESS_AT") == str(number) else ""


def answer(driver, added, call):
    """The exit code of a call, or K: the caller kills its script."""
    what = disturbance(call)
    if what == "kill before":
        return "K"
    if what in ("lost", "twice"):
        nowhere = os.open(os.devnull, os.O_RDWR)
        run(driver, added, call, [nowhere] * 3)
        os.close(nowhere)
    if what in ERRORS:
        code = "SlowDown" if call.argv[0] == "s3api" else "ThrottlingException"
        os.write(call.fds[2], ("\n" + ERRORS[what].replace("%s", code) + "\n").encode())
        return "1"
    code = run(driver, added, call, call.fds)
    return "K" if what == "kill after" else str(code)


def run(driver, added, call, fds):
    """One call, with these as its descriptors."""
    ours, data = [os.dup(number) for number in range(3)], os.environ.get("AWS_DATA_PATH")  # awscli set it on import
    streams = sys.stdin, sys.stdout, sys.stderr
    call.become(fds)
    os.environ.update({"AWS_DATA_PATH": data} if data else {})
    sys.argv = ["aws", *call.argv]
    forget(driver.session, added)
    try:
        code = driver.main(call.argv)
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
    driver, added = preload()
    for call in warm.calls(path):
        call.answer(answer(driver, added, call))


if __name__ == "__main__":
    serve(sys.argv[1])
