using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class ResidentInputsTests
{
    private static readonly OrtEngineOptions Settings = new() { Threads = 1 };

    [Test]
    public void Runs_read_the_values_of_the_last_change()
    {
        using var weights = new OrtWeights();
        using var session = weights.Open(Sum(), Settings);
        using OrtValue one = OrtTensors.ToOrt(OnnxTensor.Scalar(1f)), two = OrtTensors.ToOrt(OnnxTensor.Scalar(2f));
        using var inputs = new ResidentInputs(Settings, weights, Named(one));

        var before = Run(session, inputs);
        inputs.Change(Named(two));

        Assert.That((before, Run(session, inputs)), Is.EqualTo((11f, 12f)));
    }

    private static Dictionary<string, OrtValue> Named(OrtValue value) => new() { ["x"] = value, ["of another session"] = value };

    private static float Run(InferenceSession session, ResidentInputs inputs)
    {
        using var run = new OrtRun(session);
        foreach (var name in inputs.Bind(run, session.InputNames)) run.Bind(name, OnnxTensor.Scalar(10f));
        return run.Evaluate().Values.Single().ToFloats()[0];
    }

    private static OnnxModel Sum()
    {
        var graph = new Graph("sum");
        var tape = new Tape(graph, onnxOnly: true);
        graph.AddOutput((tape[graph.AddInput("x", ElementType.Float, [])] + tape[graph.AddInput("y", ElementType.Float, [])]).Value);
        var model = new OnnxModel(graph);
        model.OpsetVersions[string.Empty] = 21;
        return model;
    }
}
