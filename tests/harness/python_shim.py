"""A warm Python for the helpers of scripts: each call is a fork of a process that has loaded what they import.

It takes over only what runs as a server of the same flags would run it; other calls go to the real one. What is on PATH may be a
launcher that takes five times as long, so the real one is this Python itself.
"""
import os
import signal
import sys

FLAGS = ("-I", "-S", "-X", "utf8")


def start(program, path):
    """The server, with `program` as the python3 that asks it."""
    from harness import warm
    real = os.path.realpath(sys.executable)
    begins = ", ".join(f'"{flag}"' for flag in FLAGS)
    return warm.start([real, *FLAGS, os.path.abspath(__file__)], program, path, f'-DREAL="{real}"', f"-DBEGINS={{{begins}}}")


def run(call, text):
    """The helper, in a process of its own; its exit code. As Python has it, an exit with a text is 1, and says it."""
    call.become(call.fds)
    sys.argv = call.argv[len(FLAGS):]
    code = 0
    try:
        exec(compile(text, sys.argv[0], "exec"), {"__name__": "__main__", "__file__": sys.argv[0]})
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        import traceback
        traceback.print_exc()
        code = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 120
    return code & 255


def serve(path):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    import json, re  # noqa: what helpers import is loaded before the fork
    from harness import warm
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for call in warm.calls(path):
        try:
            with open(os.path.join(call.cwd, call.argv[len(FLAGS)]), "rb") as file:
                text = file.read()
        except OSError as error:
            os.write(call.fds[2], f"{error}\n".encode())
            call.answer(2)
            continue
        if os.fork():
            call.forget()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            call.connection.sendall(str(run(call, text)).encode())
        finally:
            os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
