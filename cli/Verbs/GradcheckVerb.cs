using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta gradcheck MODEL (--golden FILE | --task …)</c>.</summary>
internal static class GradcheckVerb
{
    public static Verb Create()
    {
        var (model, golden, batch) = (Arg.Model(), Opt.Of<string?>("--golden", "A golden .safetensors with its .json beside it.", "FILE"),
            Opt.Of<string?>("--batch", "The batch; default: the golden's own, in reference/ beside the model, or random tokens.", "FILE"));
        var (names, task, adapter) = (Opt.Of<string?>("--names", "Parameter names that override the derived ones.", "FILE"),
            Opt.Of<string?>("--task", "Without a golden: the loss.", "NAME"), new AdapterArguments());
        var (seed, runtime) = (Opt.Seed(), new RuntimeArguments());
        return Verb.Define(
            "gradcheck",
            "Compare derived gradients with a golden, or with central differences.",
            [model, golden, batch, names, .. adapter.Symbols, task, seed, .. runtime.Symbols],
            call =>
            {
                var settings = runtime.Settings(call);
                var understood = UnderstoodModel.Of(OnnxModel.Load(call.Get(model)));
                if (call.Get(golden) is { } file)
                    return AgainstGolden(understood, (Golden.Load(file), call.Families), (call.Get(batch), call.Get(names)), settings);
                var spec = new TrainingOptions
                {
                    Adapter = adapter.Options(call),
                    Task = call.Get(task) ?? throw NeedsTask(),
                    Seed = call.Get(seed) ?? 0,
                    Families = call.Families,
                };
                return AgainstDifferences(understood, spec, call.Get(batch), settings);
            });
    }

    private static Verdict AgainstGolden(UnderstoodModel model, (Golden File, IReadOnlyList<AdapterFamilyEntry> Families) expected,
        (string? Batch, string? Names) files, OrtSettings settings)
    {
        var (golden, families) = expected;
        var deployed = model.Deployed;
        var spec = golden.Spec(
            Architecture.Of(model), families) with
        { Names = files.Names is null ? null : ParameterNameFile.Load(files.Names, deployed) };
        var batch = files.Batch
            ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(deployed.Path))!, "reference", golden.Batch ?? "batch.safetensors");
        var result = new GoldenCheck(golden, settings.ToEvaluator())
            .Run(TrainingGraphBuilder.Build(model, spec), StoredBatch.Load(batch), settings);
        return new Verdict(result, result.Ok);
    }

    private static Verdict AgainstDifferences(UnderstoodModel model, TrainingOptions spec, string? file, OrtSettings settings)
    {
        var architecture = Architecture.Of(model);
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, spec.Adapter, spec.Families), spec.Seed);
        var graphs = TrainingGraphBuilder.Build(model, spec with { Values = values });
        var classes = graphs.Evaluation.Classes ?? 2;
        var batch = file is not null
            ? StoredBatch.Load(file)
            : SampleBatch.For(spec.Task, architecture.Vocab ?? 2, classes, spec.Seed, graphs.Batches.Sizes);
        var result = new CentralDifferenceCheck(graphs, settings, spec.Seed).Run(batch);
        return new Verdict(result, result.Verdict != GradientVerdict.Wrong);   // unresolved is no failure
    }

    private static LortaException NeedsTask() =>
        new(
            "LRT804",
            "gradcheck: give --golden FILE, or --task NAME for central differences.",
            "For instance: lorta gradcheck MODEL --method lorta --task causal-lm.")
        { IsUsage = true };
}
