using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>A trained tensor in the runtime: its value and what the optimizer keeps for it, each in two buffers that change places at a
/// step, and the sum of gradients.</summary>
internal sealed class MovingTensor(TrainedTensor trained, IReadOnlyList<OptimizerState> kept) : IDisposable
{
    public TrainedTensor Trained { get; } = trained;

    /// <summary>The value, then what is kept for it.</summary>
    public IReadOnlyList<DoubleBuffer> Buffers { get; } =
    [
        new(trained.Name, trained.Name, trained.Initial),
        .. kept.Select(state => new DoubleBuffer(state.Stored(trained.Name), state.Input(trained.Name), Zeros(trained.Initial))),
    ];

    public OrtValue Value => Buffers[0].Current;

    public OrtValue Gradient { get; } = OrtTensors.ToOrt(Zeros(trained.Initial));

    public Span<float> GradientSpan => Gradient.GetTensorMutableDataAsSpan<float>();

    public void Swap()
    {
        foreach (var buffer in Buffers) buffer.Swap();
        GradientSpan.Clear();
    }

    public void Dispose()
    {
        foreach (var buffer in Buffers) buffer.Dispose();
        Gradient.Dispose();
    }

    private static OnnxTensor Zeros(OnnxTensor like) => OnnxTensor.FromBytes(like.Type, [.. like.Dims], new byte[like.ByteCount]);
}

/// <summary>The value that is read and the one that is written next.</summary>
/// <param name="name">Name in checkpoints.</param>
/// <param name="input">Input of the optimizer's graph.</param>
/// <param name="initial">The first value.</param>
internal sealed class DoubleBuffer(string name, string input, OnnxTensor initial) : IDisposable
{
    public string Name => name;

    public string Input => input;

    public OrtValue Current { get; private set; } = OrtTensors.ToOrt(initial);

    public OrtValue Next { get; private set; } = OrtTensors.ToOrt(initial);

    public OnnxTensor Read() => OrtTensors.FromOrt(Current);

    public void Write(OnnxTensor tensor) => tensor.Bytes.CopyTo(Current.GetTensorMutableRawData());

    public void Swap() => (Current, Next) = (Next, Current);

    public void Dispose()
    {
        Current.Dispose();
        Next.Dispose();
    }
}
