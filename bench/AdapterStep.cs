using LoRTA.Onnx.Bench.Models;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Bench;

/// <summary>One optimizer step of an adapter on queries and values in ONNX Runtime, through the project's own graphs and runtime.</summary>
internal sealed class AdapterStep : IStepVariant
{
    private readonly OrtSessionRuntime _runtime;
    private readonly Batch _batch;

    public AdapterStep(string method, RobertaShape shape)
    {
        Name = method;
        _runtime = new OrtSessionRuntime(Graphs(method, shape), new OrtEngineOptions());
        _batch = BatchOf(shape);
    }

    public string Name { get; }

    public static TrainingGraphs Graphs(string method, RobertaShape shape) =>
        TrainingGraphs.Build(RobertaModel.Open(), new TrainingOptions
        {
            Adapter = new AdapterOptions { Method = method, Rank = shape.Rank, Alpha = 16, Targets = ["q", "v"] },
            Task = "classification",
            Optimizer = new OptimizerOptions { Clip = null },
        });

    public static Batch BatchOf(RobertaShape shape)
    {
        var inputs = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal)
        {
            ["input_ids"] = OnnxTensor.Of<long>([shape.Batch, shape.Length], shape.Tokens()),
            ["labels"] = OnnxTensor.Vector<long>(shape.Targets()),
        };
        return new Batch(inputs, shape.Batch, shape.Length, shape.Batch * shape.Length);
    }

    public float Step()
    {
        var loss = _runtime.Accumulate(_batch, weight: 1);
        _runtime.Step(learningRateFactor: 1);
        return (float)loss;
    }

    public void Dispose() => _runtime.Dispose();
}
