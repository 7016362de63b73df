using LoRTA.Onnx.Bench.Models;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Bench;

/// <summary>One optimizer step of an adapter on queries and values in ONNX Runtime, through the project's own graphs and runtime.</summary>
internal sealed class AdapterStep : IStepVariant
{
    private readonly OrtEngine _engine = new();
    private readonly AdapterTrainer _trainer;
    private readonly Batch _batch;

    public AdapterStep(string method, RobertaShape shape)
    {
        Name = method;
        _trainer = new AdapterTrainer(_engine, RobertaModel.Open(), Options(method, shape));
        _batch = BatchOf(shape);
    }

    public string Name { get; }

    public static TrainingGraphs Graphs(string method, RobertaShape shape) =>
        TrainingGraphs.Build(RobertaModel.Open(), Options(method, shape));

    public static Batch BatchOf(RobertaShape shape)
    {
        var inputs = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal)
        {
            ["input_ids"] = OnnxTensor.Of<long>([shape.Batch, shape.Length], shape.Tokens()),
            ["labels"] = OnnxTensor.Vector<long>(shape.Targets()),
        };
        return Batch.Of([.. inputs.Select(input => (input.Key, input.Value))]);
    }

    private static TrainingOptions Options(string method, RobertaShape shape) => new()
    {
        Adapter = new AdapterOptions { Method = method, Rank = shape.Rank, Alpha = 16, Targets = ["q", "v"] },
        Task = "classification",
        Optimizer = new OptimizerOptions { Clip = null },
    };

    public float Step()
    {
        var loss = _trainer.Accumulate(_batch, share: 1);
        _trainer.Update();
        return (float)loss;
    }

    public void Dispose()
    {
        _trainer.Dispose();
        _engine.Dispose();
    }
}
