using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests;

internal sealed class OrtEngineTests
{
    private const int Width = 128;
    private const int Products = 2_000;
    private const int Rows = 20_000;

    [Test, Platform(Exclude = "Win", Reason = "There a mapped file cannot be shortened.")]
    public void Model_file_that_was_shortened_between_two_runs_is_named()
    {
        using var folder = new TestFolder();
        var model = Chain(products: 1);
        model.Save(folder["model.onnx"]);
        using var compiled = new OrtEngine().Compile(OnnxModel.Load(folder["model.onnx"]));
        compiled.Run(Inputs(rows: 1));
        using (var writer = new FileStream(folder["model.onnx"], FileMode.Open)) writer.SetLength(100);

        var failure = Assert.Throws<LortaException>(() => compiled.Run(Inputs(rows: 1)))!;

        Assert.That(failure.Code, Is.EqualTo("LRT140"));
        Assert.That(failure.Message, Does.StartWith(folder["model.onnx"]));
    }

    [Test]
    public void Closed_engine_opens_nothing()
    {
        var engine = new OrtEngine();
        engine.Dispose();

        Assert.Throws<ObjectDisposedException>(() => engine.Compile(Chain(products: 1)));
    }

    [Test]
    public void Unknown_device_is_refused_at_once() =>
        Assert.That(Assert.Throws<LortaException>(() => new OrtEngine(new() { Device = "tpu" }))!.Code, Is.EqualTo("LRT610"));

    [Test]
    public void Telemetry_that_is_asked_for_too_late_is_said_to_stay_off()
    {
        using var first = new OrtEngine();
        var log = new LogLines();

        using var second = new OrtEngine(new() { AllowTelemetry = true, Loggers = log });

        Assert.That(log.Lines, Has.Exactly(1).Matches("^Warning 690: .* telemetry .* has no effect"));
    }

    [Test]
    public void Run_that_is_under_way_ends_when_that_is_asked_for()
    {
        using var compiled = new OrtEngine().Compile(Chain(Products));
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        using var scope = StopRequest.Under(stop.Token);

        Assert.That(() => compiled.Run(Inputs(Rows)), Throws.InstanceOf<OperationCanceledException>());
    }

    // Products one after the other: minutes of work where nothing ends it.
    private static OnnxModel Chain(int products)
    {
        var model = new OnnxModel(new Graph("chain"));
        model.OpsetVersions[string.Empty] = 21;
        var tape = new Tape(model.Graph);
        var weight = tape.Constant(OnnxTensor.Of<float>([Width, Width], new float[Width * Width]), "w");
        var at = tape[model.Graph.AddInput("x", ElementType.Float, [Dim.Symbol("rows"), Width])];
        for (var i = 0; i < products; i++) at = at.MatMul(weight);
        model.Graph.AddOutput(at.Value);
        return model;
    }

    private static Dictionary<string, OnnxTensor> Inputs(int rows) => new() { ["x"] = OnnxTensor.Of<float>([rows, Width], new float[rows * Width]) };
}
