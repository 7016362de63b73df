using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta gradcheck MODEL (--golden FILE | --task …)</c>.</summary>
internal static class GradcheckVerb
{
    public static Verb Create(LortaCatalog catalog)
    {
        var model = Arg.Model();
        var golden = Opt.Of<string?>("--golden", "A golden .safetensors with its .json next to it.", "FILE");
        var batch = Opt.Of<string?>(
            "--batch", "The batch; default: the golden's own, in reference/ next to the model, or random tokens.", "FILE");
        var names = Opt.Of<string?>("--names", "Parameter names that override the derived ones.", "FILE");
        var task = Opt.Of<string?>("--task", "Without a golden: the loss.", "NAME").Completing(catalog.Losses.Select(loss => loss.Name));
        var adapter = new AdapterArguments(catalog);
        var seed = Opt.Seed();
        var runtime = new RuntimeArguments();
        return Verb.Define(
            "gradcheck",
            "Compare derived gradients with a golden file, or with central differences.",
            [model, golden, batch, names, .. adapter.Symbols, task, seed, .. runtime.Symbols],
            call =>
            {
                var settings = runtime.Settings(call);
                var understood = UnderstoodModel.Of(OnnxModel.Load(call.Get(model)));
                if (call.Get(golden) is { } file)
                    return AgainstGolden(understood, Golden.Load(file), (call.Get(batch), call.Get(names)), settings);
                var options = new TrainingOptions
                {
                    Adapter = adapter.Options(call),
                    Task = call.Get(task) ?? throw NeedsTask(),
                    Seed = call.Get(seed) ?? 0,
                };
                return AgainstDifferences(understood, options, call.Get(batch), settings);
            });
    }

    private static Verdict AgainstGolden(
        UnderstoodModel model, Golden golden, (string? Batch, string? Names) files, OrtEngineOptions settings)
    {
        var deployed = model.Deployed;
        var names = files.Names is null ? null : ParameterNameFile.Load(files.Names, deployed);
        var options = golden.ToOptions(model, settings.Catalog, names);
        var batch = files.Batch
            ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(deployed.Path))!, "reference", golden.Batch ?? "batch.safetensors");
        var result = new GoldenCheck(golden, settings.ToEngine())
            .Run(TrainingGraphs.Build(model, options, settings.Catalog), StoredBatch.Load(batch), settings);
        return new Verdict(result, result.Ok ? null : GradcheckErrors.Wrong(
            deployed.FileName, "the golden", result.Factors.Select(factor => (factor.Name, factor.GradRelDiff))));
    }

    private static Verdict AgainstDifferences(UnderstoodModel model, TrainingOptions options, string? file, OrtEngineOptions settings)
    {
        var vocabulary = TokenEmbedding.Vocabulary(model.Deployed);
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(model, options.Adapter, settings.Catalog), options.Seed);
        var graphs = TrainingGraphs.Build(model, options with { Values = values }, settings.Catalog);
        var classes = graphs.Evaluation.Classes ?? 2;
        var batch = file is not null
            ? StoredBatch.Load(file)
            : SampleBatch.For(options.Task, vocabulary ?? 2, classes, options.Seed, graphs.Batches.Sizes,
                ownLabels: LabelKind.Of(graphs.Evaluation.Model.Graph));
        var result = new CentralDifferenceCheck(graphs, settings, options.Seed).Run(batch);
        return new Verdict(result, result.Verdict != GradientVerdict.Wrong ? null : GradcheckErrors.Wrong(   // unresolved is no failure
            model.Deployed.FileName, "central differences", result.Factors.Select(factor => (factor.Name, factor.GradRelDiff))));
    }

    private static LortaException NeedsTask() =>
        new(
            "LRT804",
            "gradcheck: give --golden FILE, or --task NAME for central differences.",
            "For instance: lorta gradcheck MODEL --method lorta --task causal-lm.")
        { IsUsage = true };
}
