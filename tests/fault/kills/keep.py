# SPDX-License-Identifier: Apache-2.0
"""The keep, started and killed as a service manager and bad luck would; and its operator."""

import json
import os
import signal
import subprocess
import time


class Trouble(Exception):
    pass


class Keep:
    def __init__(self, daemon, ctl, conf, log):
        self.daemon, self.ctl_program, self.conf, self.log = daemon, ctl, conf, log
        self.process = None
        self.slowest, self.started = 0.0, None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.daemon, "-c", self.conf], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.started = time.monotonic()

    def wait(self):
        """Until it serves."""
        try:
            self.ctl("status", "--wait", "60")
        except Trouble:
            status = self.process.poll()
            raise Trouble("the keep does not serve%s" % ("" if status is None else ": status %d" % status))
        if self.started is not None:
            self.slowest = max(self.slowest, time.monotonic() - self.started)
            self.started = None

    def ctl(self, *args):
        """What dropkeepctl prints with --json, as a list."""
        done = subprocess.run([self.ctl_program, "-c", self.conf, "--json"] + list(args),
                              capture_output=True, text=True)
        if done.returncode:
            raise Trouble("dropkeepctl %s: status %d: %s" % (
                " ".join(args), done.returncode, (done.stdout + done.stderr)[-2000:]))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def gates(self):
        pid, found = self.process.pid, []
        with open("/proc/%d/task/%d/children" % (pid, pid)) as children:
            for child in children.read().split():
                try:
                    with open("/proc/%s/comm" % child) as comm:
                        if comm.read().strip() == "dropkeep-gate":
                            found.append(int(child))
                except OSError:
                    pass
        return found

    def kill_gates(self, gates):
        for pid in gates:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def kill(self):
        self.process.kill()

    def reap(self):
        self.process.wait()

    def stop(self):
        """SIGTERM; its status."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            self.reap()
            return None
