using BenchmarkDotNet.Attributes;
using LoRTA.Onnx.Bench.Peer;

namespace LoRTA.Onnx.Bench;

/// <summary>How long does one optimizer step take beside LoRA in eager PyTorch?</summary>
[InProcess]   // a step takes a second; a generated project would copy libtorch once more
[MemoryDiagnoser]
public class StepTimeBenchmarks
{
    private IStepVariant? _peer;

    [GlobalSetup(Target = nameof(Peer))]
    public void CreatePeer() => _peer = StepVariants.Create(TorchLoraStep.VariantName);

    [Benchmark(Baseline = true)]
    public float Peer() => _peer!.Step();

    [GlobalCleanup]
    public void Dispose() => _peer?.Dispose();
}
