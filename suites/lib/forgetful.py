"""The file system that forgets what was not synced, and fails when told to: suites/forgetful, mounted."""

import subprocess


class Forgetful:
    """Mounted in a folder until closed."""

    def __init__(self, binary, folder, octets, seed):
        folder.mkdir()
        self.folder = folder
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", binary, folder, str(octets), str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self._answer("mounting")

    def say(self, command):
        """Carries a command out; what it answers."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer(command)

    def _answer(self, to):
        answer = self.process.stdout.readline().strip()
        assert answer == "ok" or answer.startswith("ok "), f"{to}: {answer or 'it ended, see above'}"
        return answer[3:]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
