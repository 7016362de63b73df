using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>A trained tensor in the runtime: value and moments, each in two buffers that change places at a step, and the sum of gradients.</summary>
internal sealed class MovingTensor(TrainedTensor trained) : IDisposable
{
    public TrainedTensor Trained { get; } = trained;

    public DoubleBuffer Value { get; } = new(trained.Initial);

    public DoubleBuffer First { get; } = new(Zeros(trained.Initial));

    public DoubleBuffer Second { get; } = new(Zeros(trained.Initial));

    public OrtValue Gradient { get; } = OrtTensors.ToOrt(Zeros(trained.Initial));

    public Span<float> GradientSpan => Gradient.GetTensorMutableDataAsSpan<float>();

    public void Swap()
    {
        Value.Swap();
        First.Swap();
        Second.Swap();
        GradientSpan.Clear();
    }

    public void Dispose()
    {
        Value.Dispose();
        First.Dispose();
        Second.Dispose();
        Gradient.Dispose();
    }

    private static OnnxTensor Zeros(OnnxTensor like) => OnnxTensor.FromBytes(like.Type, [.. like.Dims], new byte[like.ByteCount]);
}

/// <summary>The value that is read and the one that is written next.</summary>
internal sealed class DoubleBuffer(OnnxTensor initial) : IDisposable
{
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
