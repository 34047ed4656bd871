"""Programs that are called often, as servers: what a call needs is loaded once. warm_client.c is what scripts call.

Nothing but the standard library, and little of it: each server loads this.
"""
import array
import os
import socket
import subprocess
import sys
import time

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "warm_client.c")


def start(server, program, path, *defines):
    """Starts `server` with the socket's path as its last argument, and leaves a program there that asks it."""
    subprocess.run(["cc", "-O1", "-Wall", "-Werror", f'-DSOCKET="{path}"', *defines, "-o", program, CLIENT], check=True)
    process = subprocess.Popen([*server, path])
    deadline = time.monotonic() + 60
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{server[-1]} did not start")
        time.sleep(0.05)
    return process


class Call:
    """What a caller handed over: `argv` without the program, `cwd`, `env`, and its three descriptors `fds`."""

    def __init__(self, connection):
        self.connection, fds = connection, array.array("i")
        _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_LEN(3 * fds.itemsize))
        fds.frombytes(ancillary[0][2])
        self.fds = list(fds)
        with connection.makefile("rb") as stream:
            told = [(text[:1], os.fsdecode(text[1:])) for text in stream.read().split(b"\0")[:-1]]
        self.cwd = next(text for kind, text in told if kind == b"C")
        self.argv = [text for kind, text in told if kind == b"A"]
        self.env = dict(text.split("=", 1) for kind, text in told if kind == b"E" and "=" in text)

    def become(self, fds):
        """Makes this process the caller's: folder, environment, these as its descriptors, and streams anew, for they remember what the
        server's own descriptors can do."""
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        os.chdir(self.cwd)
        os.environ.clear()
        os.environ.update(self.env)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
        sys.stderr = open(2, "w", errors="backslashreplace", closefd=False)

    def answer(self, code):
        """Ends the call: an exit code, or K for one who has to kill its script."""
        try:
            self.connection.sendall(str(code).encode())
        except BrokenPipeError:
            pass  # the caller was killed
        self.forget()

    def forget(self):
        """Closes what is of the call here."""
        for fd in self.fds:
            os.close(fd)
        self.connection.close()


def calls(path):
    """Every call that comes to the socket."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + ".new")
    server.listen(64)
    os.rename(path + ".new", path)
    while True:
        connection, _ = server.accept()
        try:
            call = Call(connection)
        except (IndexError, ValueError, StopIteration):  # the caller was killed
            connection.close()
            continue
        yield call
