#!/usr/bin/env python3
"""What run.sh does once lorta is unpacked: gradients, training and folding on the card, then speed beside PyTorch.

    check.py OUT --lorta LORTA [--device cuda] [--fixtures FOLDER] [--seconds 400]

Every step has a limit of its own, and one that fails is noted and the rest goes on. OUT gets results.json, report.md and log.txt, written
anew after each step, so that an end from outside loses one step only. Exit code 1 if a step or a comparison failed. --device cpu tries
everything but the card, in a few small sizes.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures"
AT_ONCE = 4
GOLDENS = [("roberta-mini", "seqcls", "classification"), ("esm-mini", "mlm", "masked-lm"), ("llama-mini", "causal-lm", "causal-lm")]
STORED = ["genai-int4", "fp16"]
FAMILY_STEPS, FAMILY_LOSS = 6, 8   # llama-mini starts at 6, AdaLoRA's penalty above that; a diverging step or a NaN does not stay below
FAMILY_SETTINGS = {
    "adalora": [f"adapter.options.{option}" for option in ("target=4", "tinit=1", "tfinal=2", "deltaT=1")],
    "ia3": ["adapter.targets=[k,v,ffn]"],
    "loretta_adp": ["adapter.targets=[attention,ffn]"],
    "prefix": ["adapter.targets=[k,v]"],
    "full": ["adapter.targets=['*.weight']"],
}
SHIP_LOG, SHIP_LOG_WITHIN, SHIP_LOG_BASE = 3.83, 0.03, 5.627


class Report:
    """Steps and comparisons so far, in three files."""

    def __init__(self, folder, environment):
        self.folder, self.lock, self.start = pathlib.Path(folder), threading.Lock(), time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = open(self.folder / "log.txt", "w")
        self.content = {"environment": environment, "steps": [], "checks": [], "peer": None}

    @property
    def elapsed(self):
        return time.monotonic() - self.start

    def step(self, name, command, seconds, output, error, checks):
        with self.lock:
            self.content["steps"].append({"name": name, "seconds": round(seconds, 1), "error": error})
            self.content["checks"] += checks
            verdict = "failed" if error or not all(c["ok"] for c in checks) else "ok"
            print(f"[{self.elapsed:5.0f} s] {verdict:6} {name} ({seconds:.1f} s)", flush=True)
            self.log.write(f"==== {name}\n$ {' '.join(map(str, command))}\n{output}\n{error or ''}\n")
            self.log.flush()
            self.write()

    def peer(self, content):
        with self.lock:
            self.content["peer"] = content
            self.content["checks"] += content["checks"]
            self.write()

    @property
    def failures(self):
        return [s["name"] for s in self.content["steps"] if s["error"]] + [c["what"] for c in self.content["checks"] if not c["ok"]]

    def write(self):
        (self.folder / "results.json").write_text(json.dumps(self.content, indent=1) + "\n")
        (self.folder / "report.md").write_text("\n".join(self.markdown()) + "\n")

    def markdown(self):
        yield "# lorta on this machine\n"
        yield from (f"* {key}: {value}" for key, value in self.content["environment"].items())
        yield "\n| what | value | limit | |\n| --- | --: | --: | --- |"
        for c in self.content["checks"]:
            verdict = "ok" if c["ok"] else "missed" if c["goal"] else "**failed**"
            yield f"| {c['what']} | {number(c['value'])} | {c['limit']} | {verdict} |"
        failed = [s for s in self.content["steps"] if s["error"]]
        yield from (f"\n**{s['name']}** failed: {s['error'].splitlines()[-1]}" for s in failed)
        if peer := self.content["peer"]:
            versions = next((row["versions"] for row in peer["rows"] if "versions" in row), {})
            yield "\n" + ", ".join(f"{name} {version}" for name, version in versions.items())
            yield f"\nA step, batch {peer['batch']}, rank {peer['rank']}, median of the measured ones:\n"
            yield "| | method | precision | length | ms | least ms | tokens/s | MB on the card | MB by PyTorch's count | loss of step 1 |"
            yield "| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: |"
            for row in peer["rows"]:
                keys = ("milliseconds", "least", "tokensPerSecond", "cardMegabytes", "allocatedMegabytes", "firstLoss")
                cells = [row.get(key) for key in keys]
                numbers = " | ".join("" if cell is None else number(cell) for cell in cells)
                yield f"| {row['tool']} | {row['method']} | {row['precision']} | {row['length']} | {numbers} |"
            yield from (f"\n{r['tool']} {r['method']} {r['precision']} {r['length']}: {r['error']}"
                        for r in peer["rows"] if "error" in r)


def number(value):
    if isinstance(value, int) or value is None:
        return str(value)
    return f"{value:.2e}" if 0 < abs(value) < 1e-2 else f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def check(what, value, limit, ok):
    return {"what": what, "value": value, "limit": limit, "ok": bool(ok), "goal": False}


class Checks:
    def __init__(self, options, report, work):
        self.options, self.report, self.work = options, report, work
        self.small = options.device == "cpu"

    def lorta(self, name, arguments, seconds, judge, device=None):
        """Runs a verb on the device; its JSON goes to judge, which says what must hold. Returns whether all of it does."""
        command = [self.options.lorta, *map(str, arguments), "--json", "--quiet"]
        if arguments[0] != "train":
            command += ["--device", device or self.options.device]
        start, output, error, checks = time.monotonic(), "", None, []
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
            output = done.stdout + done.stderr
            checks = judge(json.loads(done.stdout)) if done.stdout.startswith("{") else []
            if done.returncode != 0:
                error = f"exit code {done.returncode}: {done.stderr.strip()}"
        except subprocess.TimeoutExpired:
            error = f"not done after {seconds} s"
        except Exception as problem:   # one step must not end the others
            error = f"{type(problem).__name__}: {problem}"
        self.report.step(name, command, time.monotonic() - start, output, error, checks)
        return error is None and all(c["ok"] for c in checks)

    def golden(self, model, golden, batch):
        name = f"gradients of {golden.stem} on {model.name if model.is_dir() else model.stem}, against the golden"
        self.lorta(name, ["gradcheck", model, "--golden", golden, "--batch", batch], 60, lambda result: [
            check(name, result["maxGradRelDiff"], "≤ 1e-4", result["ok"])])

    def differences(self, model, method, task):
        name = f"gradients of {method} on {model.name}, against central differences"
        self.lorta(name, ["gradcheck", model, "--method", method, "--task", task], 90, lambda result: [
            check(name, result["maxGradRelDiff"], f"≤ {result['tolerance']:g}", result["ok"])])

    def families(self):
        """What the tool says of each method on llama-mini: the parameters it would train (None: it cannot) and whether they fold."""
        command = [self.options.lorta, "methods", str(ROOT / "models/llama-mini"), "--targets", "q,v", "--rank", "4", "--json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)

    def family(self, method, is_foldable):
        """A few steps on the device, then exported: the outputs of the file are those of the adapted model."""
        run, device = self.work / f"run-{method}", self.options.device
        settings = [f"device={device}", f"adapter.method={method}", f"train.steps={FAMILY_STEPS}", "train.schedule.warmupSteps=1",
                    "train.optimizer.lr=1e-3", "train.evaluateEvery=never", *FAMILY_SETTINGS.get(method, [])]
        command = ["train", ROOT / "models/recipes/ship-log.yaml", "-o", run]
        for setting in settings:
            command += ["--set", setting]

        def judge(result):
            loss = result["trainingLoss"]
            return [check(f"{method}: loss after {FAMILY_STEPS} steps", loss, f"< {FAMILY_LOSS}", loss < FAMILY_LOSS)]

        if self.lorta(f"{method}: {FAMILY_STEPS} steps", command, 90, judge):
            options = [] if is_foldable else ["--keep-base"]
            self.fold(" ".join([f"{method}, exported", *options]), ROOT / "models/llama-mini/model.onnx", run, options)

    def ship_log(self, device):
        """Trains, folds and compares; on the device that is checked also into files of 4 and 16 bits."""
        name, run = f"ship's log, held-out loss on {device}", self.work / f"run-{device}"
        command = ["train", ROOT / "models/recipes/ship-log.yaml", "-o", run, "--set", f"device={device}"]
        if self.small:
            command += ["--set", "train.steps=30", "--set", "train.schedule.warmupSteps=5"]

        def judge(result):
            loss = result["loss"]
            if self.small:
                return [check(name, loss, f"< {SHIP_LOG_BASE}", loss < SHIP_LOG_BASE)]
            return [check(name, loss, f"{SHIP_LOG} ± {SHIP_LOG_WITHIN}", abs(loss - SHIP_LOG) <= SHIP_LOG_WITHIN)]

        if not self.lorta(name, command, 150, judge) or device != self.options.device:
            return
        self.fold("ship's log, folded", ROOT / "models/llama-mini/model.onnx", run, [])
        for stored in STORED:
            self.fold(f"ship's log, beside {stored}", self.options.fixtures / f"{stored}.onnx", run, ["--keep-base"])

    def fold(self, name, model, run, options):
        folded = self.work / f"{run.name}-{model.stem}.onnx"
        self.lorta(name, ["export", model, "--adapter", run / "adapter", "-o", folded, "--verify", *options], 60, lambda result: [
            check(f"{name}: outputs, relative", result["maxRelDiff"], "by lorta verify", result["ok"])])

    def correctness(self):
        jobs = [(self.ship_log, device) for device in dict.fromkeys(["cpu", self.options.device])]
        for model, name, task in GOLDENS:
            for method in ("lorta", "lora"):
                golden = FIXTURES / f"goldens/{model}/{name}.{method}.safetensors"
                batch = json.loads(golden.with_suffix(".json").read_text())["batch"]
                jobs.append((self.golden, ROOT / "models" / model, golden, FIXTURES / f"models/{model}/reference" / batch))
                jobs.append((self.differences, ROOT / "models" / model, method, task))
        for family in self.families():
            if family["method"] not in ("lorta", "lora"):   # those two: above
                jobs.append((self.differences, ROOT / "models/roberta-mini", family["method"], "classification"))
            if family["trainable"] is not None:
                jobs.append((self.family, family["method"], family["foldable"]))
        for stored in STORED:
            golden = self.options.fixtures / f"causal-lm.lorta@{stored}.safetensors"
            batch = FIXTURES / "models/llama-mini/reference/batch.safetensors"
            jobs.append((self.golden, self.options.fixtures / f"{stored}.onnx", golden, batch))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for future in [pool.submit(*job) for job in jobs]:
                future.result()

    def speed(self):
        out, name = self.work / "peer.json", "speed beside PyTorch"
        seconds = max(60, self.options.seconds - self.report.elapsed - 20)
        command = [sys.executable, "-u", pathlib.Path(__file__).with_name("peer.py"), out, "--lorta", self.options.lorta,
                   "--device", self.options.device, "--seconds", str(int(seconds * 0.9)), *["--small"] * self.small]
        command = [str(part) for part in command]
        start, error, lines = time.monotonic(), None, []
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True) as peer:
            late = threading.Timer(seconds, lambda: os.killpg(peer.pid, signal.SIGKILL))   # with what it started
            late.start()
            for line in peer.stdout:
                lines.append(line)
                print(f"[{self.report.elapsed:5.0f} s]        {line.rstrip()[:160]}", flush=True)
            late.cancel()
        if peer.returncode != 0:
            error = f"exit code {peer.returncode}: {''.join(lines[-1:])}"
        if out.exists():
            content = json.loads(out.read_text())
            self.report.peer(content)
            missing = sum("error" in row for row in content["rows"])
            error = error or (f"{missing} rows were not measured" if missing else None)
        self.report.step(name, command, time.monotonic() - start, "".join(lines), error, [])


def environment(options):
    def said(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip() or "unknown"
        except (OSError, subprocess.SubprocessError):
            return "unknown"

    cpu = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    card = said("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
    return {
        "card, driver, memory": card if options.device != "cpu" else "not used",
        "processor": f"{cpu[0] if cpu else platform.machine()}, {len(cpu)} cores",
        "system": platform.platform(),
        "lorta": said(options.lorta, "--version"),
        "Python": platform.python_version(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--lorta", required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--fixtures", type=pathlib.Path, help="4- and 16-bit files with their goldens")
    parser.add_argument("--seconds", type=float, default=400)
    options = parser.parse_args()
    report = Report(options.out, environment(options))
    with tempfile.TemporaryDirectory() as work:
        checks = Checks(options, report, pathlib.Path(work))
        checks.correctness()
        checks.speed()
    for failure in report.failures:
        print(f"failed: {failure}")
    print(f"{report.folder}/report.md after {report.elapsed:.0f} s")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
