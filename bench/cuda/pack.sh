#!/usr/bin/env bash
# Packs lorta for a Linux x86-64 machine that has neither .NET nor a network: the tool, a trimmed .NET runtime and ONNX Runtime with CUDA,
# in parts of at most 30 MB. Ends by running the packed tool on the CPU, in an empty environment.
#
#   bench/cuda/pack.sh [--sm 90] [OUT]    OUT: default artifacts/cuda; --sm: the GPU's architecture, 90 = H100, H200
#   bench/cuda/pack.sh --cpu [OUT]        the same without the CUDA provider, and quickly: does this script still work?
#
# On the GPU machine: bench/cuda/run.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
flavor=Gpu sm=90 level=9
while [[ ${1:-} == --* ]]; do
    case $1 in
        --cpu) flavor=Cpu level=0; shift ;;
        --sm) sm=$2; shift 2 ;;
        *) sed -n '2,8s/^# \?//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
done
mkdir -p "${1:-$root/artifacts/cuda}"
out=$(cd "${1:-$root/artifacts/cuda}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bundle=$work/bundle
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

publish() {
    dotnet publish "$root/cli" -c Release -r linux-x64 --no-self-contained -p:OrtFlavor=$flavor -p:UseAppHost=false -p:DebugType=none \
        --artifacts-path "$out/build" -o "$bundle/app" -v q
    rm -f "$bundle"/app/onnxruntime*.dll "$bundle"/app/*.xml "$bundle"/app/libonnxruntime_providers_tensorrt.so
    if [ $flavor = Gpu ]; then
        chmod u+w "$bundle/app/libonnxruntime_providers_cuda.so"
        python3 "$here/keep_sm.py" "$bundle/app/libonnxruntime_providers_cuda.so" "$sm"
    fi
}

# .NET without what a command line never loads: debugging, tracing, the network, Visual Basic, databases, serialisation of old.
copy_runtime() {
    local dotnet framework
    dotnet=$(dirname "$(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App 10.* \[\(.*\)\/shared\/.*/\1\/dotnet/p' | tail -n 1)")
    framework=$(find "$dotnet/shared/Microsoft.NETCore.App" -mindepth 1 -maxdepth 1 -name '10.*' | sort -V | tail -n 1)
    mkdir -p "$bundle/dotnet/host/fxr" "$bundle/dotnet/shared/Microsoft.NETCore.App"
    cp "$dotnet/dotnet" "$dotnet"/LICENSE.txt "$dotnet"/ThirdPartyNotices.txt "$bundle/dotnet"
    cp -r "$dotnet/host/fxr/$(basename "$framework")" "$bundle/dotnet/host/fxr"
    cp -r "$framework" "$bundle/dotnet/shared/Microsoft.NETCore.App"
    cd "$bundle/dotnet/shared/Microsoft.NETCore.App/$(basename "$framework")"
    rm -f createdump libmscordaccore.so libmscordbi.so libcoreclrtraceptprovider.so libclrgc*.so \
        Microsoft.CSharp.dll Microsoft.VisualBasic* System.Data.* System.Transactions* System.ServiceModel* System.Formats.Tar.dll \
        System.Private.DataContractSerialization.dll System.Private.Xml.Linq.dll System.Runtime.Serialization.Xml.dll \
        System.Net.{H,Mail,NetworkInformation,Ping,Quic,Requests,Se,Web}* System.Linq.AsyncEnumerable.dll System.Linq.Parallel.dll \
        System.Threading.Tasks.Dataflow.dll
    cd "$root"
}

launcher() {
    cat >"$bundle/lorta" <<'SH'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
DOTNET_ROOT=$here/dotnet exec "$here/dotnet/dotnet" "$here/app/LoRTA.Onnx.Cli.dll" "$@"
SH
    chmod +x "$bundle/lorta"
}

# What run.sh compares with and this repository does not hold: a file of 4 bits and one of 16, with their goldens.
fixtures() {
    local from=${LORTA_FIXTURES:-$root/../shared/fixtures} stored
    [ -d "$from" ] || { echo "no fixtures in $from: run.sh will miss them"; return; }
    mkdir "$bundle/fixtures"
    for stored in genai-int4 fp16; do
        cp "$from/models/llama-mini/$stored.onnx" "$from/goldens/llama-mini/causal-lm.lorta@$stored".* "$bundle/fixtures"
    done
}

# lorta VERB …: the unpacked tool, in an empty folder, with nothing of this machine's environment
lorta() {
    echo "+ lorta $*"
    (cd "$work/empty" && env -i PATH=/usr/bin:/bin HOME="$work/empty" "$work/unpacked/lorta" "$@") >"$work/log" 2>&1 ||
        { cat "$work/log"; exit 1; }
}

try() {
    python3 "$here/parts.py" unpack "$out/lorta.tar.xz" "$work/unpacked"
    mkdir "$work/empty"
    lorta inspect "$root/models/llama-mini"
    lorta gradcheck "$root/models/roberta-mini" --method lorta --task classification
    lorta train "$root/models/recipes/ship-log.yaml" --set train.steps=5 --set train.schedule.warmupSteps=1 -o run
    lorta export "$root/models/llama-mini" --adapter run/adapter -o folded --verify
    lorta verify "$root/models/llama-mini" folded --adapter run/adapter
}

publish
copy_runtime
launcher
fixtures
du -sh "$bundle"/*
python3 "$here/parts.py" pack "$bundle" "$out/lorta.tar.xz" 30 $level
try
echo "the packed lorta works: $out/lorta.tar.xz.*"
