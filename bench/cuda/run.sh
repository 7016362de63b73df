#!/usr/bin/env bash
# Checks lorta on a machine with an NVIDIA GPU, in at most seven minutes: gradients, training and folding on the card, and the time of a
# training step beside PyTorch + PEFT. Needs this repository, the parts that pack.sh wrote, and Python with torch (CUDA 13, cuDNN 9),
# transformers, peft and onnx; no .NET and no network.
#
#   bench/cuda/run.sh OUT [--device cuda|cpu] [--bundle PATH]
#
# OUT gets report.md, results.json and log.txt. PATH: the parts (PATH.0 …; default artifacts/cuda/lorta.tar.xz) or the folder they
# unpack to. --device cpu tries everything but the card, in small sizes. Exit code 1: something failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bundle=$here/../../artifacts/cuda/lorta.tar.xz device=cuda out=
while [ $# -gt 0 ]; do
    case $1 in
        --device) device=$2; shift 2 ;;
        --bundle) bundle=$2; shift 2 ;;
        -*) sed -n '2,10s/^# \?//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
        *) out=$1; shift ;;
    esac
done
[ -n "$out" ] || { sed -n '2,10s/^# \?//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
mkdir -p "$out"
unset NVIDIA_TF32_OVERRIDE   # whether products are rounded is for lorta's own option to decide
export ORT_DISABLE_TELEMETRY=1

if [ ! -d "$bundle" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python3 "$here/parts.py" unpack "$bundle" "$work/bundle"
    bundle=$work/bundle
    echo "unpacked after $SECONDS s"
fi

# CUDA's libraries come with torch, in folders nvidia/*/lib; the driver's libcuda is where containers put it, if ld does not know it.
cuda_folders() {
    python3 - <<'PY'
import importlib.util, pathlib
nvidia = importlib.util.find_spec("nvidia")
folders = [folder for place in (nvidia.submodule_search_locations if nvidia else []) for folder in pathlib.Path(place).glob("*/lib")]
print(":".join(map(str, sorted(folders) + [pathlib.Path("/usr/local/nvidia/lib64")])))
PY
}

if [ "$device" != cpu ]; then
    LD_LIBRARY_PATH=$(cuda_folders)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
    ldd "$bundle/app/libonnxruntime_providers_cuda.so" >"$out/log.txt"
    if grep 'not found' "$out/log.txt"; then
        echo "CUDA's libraries are missing; searched: $LD_LIBRARY_PATH" >&2
        exit 1
    fi
fi
python3 -u "$here/check.py" "$out" --lorta "$bundle/lorta" --device "$device" --fixtures "$bundle/fixtures" --seconds $((410 - SECONDS))
