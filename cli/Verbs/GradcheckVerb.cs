using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta gradcheck MODEL (--golden FILE | --task …)</c>.</summary>
internal static class GradcheckVerb
{
    public static Verb Create()
    {
        var (model, golden, batch) = (Arg.Model(), Opt.Of<string?>("--golden", "A golden .safetensors with its .json beside it.", "FILE"), Opt.Of<string?>("--batch", "The batch; default: the golden's own, in reference/ beside the model, or random tokens.", "FILE"));
        var (names, task, adapter) = (Opt.Of<string?>("--names", "Parameter names that override the derived ones.", "FILE"), Opt.Of<string?>("--task", "Without a golden: the loss.", "NAME"), new AdapterArguments());
        var (seed, runtime) = (Opt.Seed(), new RuntimeArguments());
        return Verb.Define("gradcheck", "Compare derived gradients with a golden, or with central differences.", [model, golden, batch, names, .. adapter.Symbols, task, seed, .. runtime.Symbols], call =>
        {
            var settings = runtime.Settings(call);
            var deployed = OnnxModel.Load(call.Get(model));
            var architecture = Architecture.Of(UnderstoodModel.Of(deployed));
            if (call.Get(golden) is { } file) return AgainstGolden(deployed, Golden.Load(file), (call.Get(batch), call.Get(names)), architecture, settings);
            return AgainstDifferences(deployed, adapter.Options(call), call.Get(task) ?? throw NeedsTask(), (call.Get(batch), call.Get(seed) ?? 0), architecture, settings);
        });
    }

    private static Verdict AgainstGolden(OnnxModel deployed, Golden golden, (string? Batch, string? Names) files, Architecture architecture, OrtSettings settings)
    {
        var spec = golden.Spec(architecture) with { Names = files.Names is null ? null : ParameterNameFile.Load(files.Names, deployed) };
        var batch = files.Batch ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(deployed.Path))!, "reference", golden.Batch ?? "batch.safetensors");
        var result = new GoldenCheck(golden, settings.ToEvaluator()).Run(TrainingGraphBuilder.Build(deployed, spec), StoredBatch.Load(batch), settings);
        return new Verdict(result, result.Ok);
    }

    private static Verdict AgainstDifferences(OnnxModel deployed, AdapterOptions options, string task, (string? Batch, long Seed) given, Architecture architecture, OrtSettings settings)
    {
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, options), given.Seed);
        var graphs = TrainingGraphBuilder.Build(deployed, new TrainingOptions { Adapter = options, Task = task, Values = values });
        var classes = graphs.Evaluation.Classes ?? 2;
        var batch = given.Batch is { } file
            ? StoredBatch.Load(file)
            : SampleBatch.For(task, architecture.Vocab ?? 2, classes, given.Seed, graphs.Batches.Sizes);
        var result = new CentralDifferenceCheck(graphs, settings, given.Seed).Run(batch);
        return new Verdict(result, result.Verdict != GradientVerdict.Wrong);   // unresolved is no failure
    }

    private static LortaException NeedsTask() =>
        new("LRT804", "gradcheck: give --golden FILE, or --task NAME for central differences.", "For instance: lorta gradcheck MODEL --method lorta --task causal-lm.") { IsUsage = true };
}
