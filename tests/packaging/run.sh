#!/usr/bin/env bash
# Packs the libraries, the tool and the Cake addin, and uses them from clean folders as a stranger would. Each check is a test; results
# as TAP.
# Nothing of it stays, in this repository or in NuGet's global cache.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
version=0.1.0-check packages=$work/artifacts/package/release
cache=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
number=0 passed=0 failed=0

# check DESCRIPTION COMMAND…: one test; what the command said is shown when it fails
check() {
    local description=$1; shift
    number=$((number + 1))
    if "$@" >"$work/log" 2>&1 </dev/null; then
        passed=$((passed + 1)); echo "ok $number - $description"
    else
        failed=$((failed + 1)); echo "not ok $number - $description"; sed 's/^/# /' "$work/log"
    fi
}

pack() { dotnet pack "$root/LoRTA.Onnx.sln" --artifacts-path "$work/artifacts" -p:Version=$version -v q; }

# What an installed package holds: a README of its own and a licence; its symbols lie beside it as packed.
complete() {
    local name folder
    for name in LoRTA.Onnx.{GraphGen,Runtime,Training,Export,Extensions.AI,Testing,Tool} Cake.LoRTA; do
        case $name in
            LoRTA.Onnx.Tool) folder=$(echo "$work"/tool/.store/*/*/*/$version) ;;
            Cake.LoRTA) folder=$(echo "$work"/sample/tools/Addins/Cake.LoRTA*) ;;
            *) folder=$work/cache/${name,,}/$version ;;
        esac
        grep -q "^# $name" "$folder/README.md" || { echo "no README in $name"; return 1; }
        grep -q '<license type="expression">MIT<' "$folder"/*.nuspec || { echo "no licence in $name"; return 1; }
        [ -f "$packages/$name.$version.snupkg" ] || { echo "no symbols for $name"; return 1; }
    done
}

small() {
    local bytes
    bytes=$(wc -c <"$packages/LoRTA.Onnx.Tool.$version.nupkg") && echo "$bytes bytes" && [ "$bytes" -lt 80000000 ]
}

install() {
    mkdir "$work/elsewhere" && cd "$work/elsewhere" && dotnet tool install LoRTA.Onnx.Tool --tool-path "$work/tool" --add-source "$packages" --version $version
}

# method → trainable parameters, as the tool counts them
counts() {
    cd "$work/elsewhere" && "$work/tool/lorta" methods --width 4096 --heads 32 --layers 32 --targets q,v --rank 4 --json | tee "$work/methods.json"
    tr -d ' \n' <"$work/methods.json" | grep -q '"method":"lorta","trainable":17160,' && tr -d ' \n' <"$work/methods.json" | grep -q '"method":"lora","trainable":2097152,'
}

runs_models() {
    cd "$work/elsewhere" && "$work/tool/lorta" verify "$root/models/roberta-mini" "$root/models/roberta-mini" --json
}

# Far away from the repository: what it trains is in the package.
quickstart() {
    mkdir "$work/anywhere" && cd "$work/anywhere" && "$work/tool/lorta" quickstart --json --quiet | tee "$work/quickstart.json"
    grep -q '"lossAfter": [34]' "$work/quickstart.json" && [ -f "$work/anywhere/quickstart/merged.onnx" ]
}

# Packages other than ours come from the cache that is there.
packed_source() {
    cat >nuget.config <<XML
<configuration>
  <config><add key="globalPackagesFolder" value="$work/cache" /></config>
  <fallbackPackageFolders><add key="cache" value="$cache" /></fallbackPackageFolders>
  <packageSources><add key="packed" value="$packages" /></packageSources>
</configuration>
XML
}

# A program that knows the packages only, on a release of ONNX Runtime.
build_consumer() {
    mkdir "$work/consumer-$1" && cp "$here"/consumer/* "$work/consumer-$1" && cd "$work/consumer-$1" || return 1
    packed_source
    dotnet build Consumer.csproj -o out -v q -p:LortaVersion=$version -p:OrtVersion="$1"
}

# program NAME ARGUMENTS…: a sample in one file, as it is but for the version, in a folder of its own.
program() {
    local name=$1; shift
    mkdir -p "$work/data" "$work/$name" && cd "$work/$name" || return 1
    packed_source
    sed "s/^\(#:package LoRTA.*\)@0.1.0$/\1@$version/" "$root/samples/$name.cs" >"$name.cs"
    XDG_DATA_HOME=$work/data dotnet run "$name.cs" -- "$@"   # where dotnet keeps what it builds of such files
}

train_program() { program train "$root/models/recipes/reviews.yaml" artifacts && [ -f artifacts/merged.onnx ]; }

family_program() { program family "$root/models/roberta-mini" artifacts; }

# The adapter of the Cake sample; the chat answers what the command generates.
chat_program() {
    local adapter=$work/sample/artifacts/ship-log/adapter
    printf '2 March.\nlog: 2 March.\n' | program chat "$root/models/llama-mini" "log=$adapter" >"$work/chat.txt" || return 1
    { generated && generated --adapter "$adapter"; } >"$work/generated.txt" && diff "$work/generated.txt" "$work/chat.txt"
}

generated() { "$work/tool/lorta" generate "$root/models/llama-mini" --prompt "2 March." --max-tokens 40 --quiet "$@"; }

# The sample as it is, but for the version: Cake fetches addin and tool from the packed folder, and from nowhere else. Cake itself comes
# from the cache, where building the addin has put it. A second run takes the tool from a manifest, as 'dotnet tool run'.
cake_sample() {
    mkdir "$work/sample" && cd "$work/sample" || return 1
    sed "s/version=0.1.0/version=$version\&prerelease/" "$root/samples/cake/build.cake" >build.cake
    cat >nuget.config <<XML
<configuration>
  <packageSources><clear /><add key="packed" value="$packages" /></packageSources>
</configuration>
XML
    cake --steps=20 && [ -f artifacts/merged/model.onnx ]
}

cake_with_manifest() (
    mkdir "$work/manifest" && cd "$work/manifest" && cp "$work/sample/nuget.config" . || return 1
    grep -v '^#tool' "$work/sample/build.cake" >build.cake
    export NUGET_PACKAGES=$work/manifest/cache DOTNET_CLI_HOME=$work/manifest   # where dotnet keeps what it knows of tools
    dotnet new tool-manifest && dotnet tool install LoRTA.Onnx.Tool --version $version || return 1
    cake --target=Train --steps=20 && [ -d artifacts/ship-log/adapter ]
)

# Twice: the second time everything is newer than what it is made from.
msbuild_sample() {
    mkdir "$work/msbuild" && cd "$work/msbuild" && cp "$root/samples/msbuild/adapter.proj" . || return 1
    msbuild && [ -f artifacts/merged.onnx ] && [ "$(msbuild | grep -c 'Skipping target')" -eq 2 ]
}

msbuild() { PATH=$work/tool:$PATH dotnet msbuild adapter.proj -tl:off -v:n -p:Models="$root/models" -p:Steps=20; }

cake() { dotnet "$cache/cake.tool/$(version_of CakeVersion)/tools/net10.0/any/Cake.dll" --models="$root/models" "$@"; }

version_of() { grep -o "<$1>[^<]*" "$root/Directory.Packages.props" | head -n 1 | cut -d'>' -f2; }

# The bundle for machines without .NET, here without its CUDA part: packed, unpacked and run in an empty environment.
bundle() {
    command -v python3 >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3; } || return 1
    python3 -m unittest discover -s "$here" -p '*_test.py' && "$root/bench/cuda/pack.sh" --cpu "$work/cuda"
}

consumer_says() { "$work/consumer-$1/out/Consumer" "$root/models/llama-mini" | tee "$work/said" && grep -qF "$2" "$work/said"; }

check "the libraries and the tool pack" pack
check "the tool's package is smaller than 80 MB" small
check "the tool installs from the packed folder" install
check "the installed tool counts the parameters of each method" counts
check "the installed tool runs a model with the native ONNX Runtime in its package" runs_models
check "the installed tool's quickstart works in an empty folder" quickstart
for release in $(version_of OrtVersion) $(version_of OrtLeastVersion); do
    check "a program builds on the packed libraries and ONNX Runtime $release" build_consumer "$release"
done
check "the Cake sample trains, folds and verifies with the packed addin and the packed tool" cake_sample
check "the addin finds the tool in a manifest" cake_with_manifest
check "the MSBuild sample trains and folds with the packed tool, and skips what is up to date" msbuild_sample
check "a program trains, evaluates, folds and verifies through the packed libraries" train_program
check "a family, a loss and a rule of a program's own are trained, folded and served through the packed libraries" family_program
check "a chat answers as the packed tool generates, with an adapter and without" chat_program
check "every package has its README, licence and symbols" complete
for release in $(version_of OrtVersion) $(version_of OrtLeastVersion); do
    check "it opens a model and finds its attention, on $release" consumer_says "$release" "4 layers, 4 heads"
    check "it compares a model with itself, on $release" consumer_says "$release" "same: True"
done
check "the bundle for a machine without .NET packs, and runs in an empty environment" bundle

echo "1..$number"
echo "# pass $passed"
echo "# fail $failed"
[ "$failed" -eq 0 ]
