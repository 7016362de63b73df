using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>What one exporter's file is, and what works on it.</summary>
/// <param name="Name">The fixture.</param>
/// <param name="Inspection">What was found in it.</param>
/// <param name="Forms">How its attention weights are stored: <c>q k v</c> and their form, …</param>
/// <param name="MlpForms">The same of its MLPs.</param>
/// <param name="IsAsExpected">Whether the inspection is what is known of the file.</param>
/// <param name="Works">What works on it; null where no layer is understood.</param>
internal sealed record ExporterFacts(string Name, ModelInspection Inspection, IReadOnlyList<string> Forms, IReadOnlyList<string> MlpForms, bool IsAsExpected, WorkingFacts? Works)
{
    private static readonly OrtEngineOptions Settings = new();

    /// <summary>Inspects, differentiates, folds and compares one export.</summary>
    public static ExporterFacts Of(string export, TestFolder folder)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        return Of(export, deployed, inspection => !SitesGolden.Differences(SitesGolden.Of(export), SitesGolden.Written(inspection)).Any(), folder, model => GoldenOf(export) is { } golden
            ? AgainstGolden(golden, Exports.Split(export).Folder, model)
            : AgainstDifferences(export.StartsWith("llama", StringComparison.Ordinal) ? "causal-lm" : "classification", model));
    }

    /// <summary>The same for a small graph in the spelling of one model family.</summary>
    public static ExporterFacts Of(ArchitectureCase expected, TestFolder folder)
    {
        var deployed = OnnxModel.Load(expected.Path);
        return Of(expected.Name, deployed, inspection => inspection.Layers.Count > 0 == expected.Projections.Length > 0, folder, model => AgainstDifferences("causal-lm", model));
    }

    private static ExporterFacts Of(string name, OnnxModel deployed, Func<ModelInspection, bool> isAsExpected, TestFolder folder, Func<UnderstoodModel, GradientFacts> gradients)
    {
        var model = UnderstoodModel.Of(deployed);
        var inspection = ModelInspection.Of(model);
        return new ExporterFacts(name, inspection, StoredForms.Of(deployed, inspection), StoredForms.OfMlp(deployed, inspection), isAsExpected(inspection), model.Map.Layers.Count == 0 ? null : WorkingOf(model, folder, gradients));
    }

    private static WorkingFacts WorkingOf(UnderstoodModel model, TestFolder folder, Func<UnderstoodModel, GradientFacts> gradients)
    {
        var adapter = RandomAdapter.For(model);
        var adapted = AdaptedModels.Switchable(model, adapter, allowOtherBase: false, LortaCatalog.Default).Model;
        return new WorkingFacts(
            gradients(model),
            FoldedOf(model, adapter, adapted, new ExportOptions(), folder["folded.onnx"]),
            FoldedOf(model, adapter, adapted, new ExportOptions { KeepBase = true }, folder["beside.onnx"]).Difference);
    }

    private static GradientFacts AgainstGolden(string name, string folder, UnderstoodModel model)
    {
        var golden = Golden.Load(Goldens.Path(name));
        var batch = StoredBatch.Load(Fixtures.Path("models", folder, "reference", golden.Batch!));
        return new GradientFacts(Exports.Split(name).Key, new GoldenCheck(golden, RandomAdapter.Evaluator).Run(TrainingGraphs.Build(model.Copy(), golden.ToOptions(model, LortaCatalog.Default), LortaCatalog.Default), batch, Settings).Ok);
    }

    private static GradientFacts AgainstDifferences(string task, UnderstoodModel model)
    {
        var (architecture, adapter) = (Architecture.Of(model), RandomAdapter.Options(model.Map));
        var graphs = TrainingGraphs.Build(model.Copy(), new TrainingOptions { Adapter = adapter, Task = task, Values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, adapter), seed: 0) }, LortaCatalog.Default);
        var classes = graphs.Evaluation.Classes!.Value;
        return new GradientFacts(null, new CentralDifferenceCheck(graphs, Settings, seed: 0).Run(SampleBatch.For(task, architecture.Vocab ?? 2, classes, seed: 0)).Ok);
    }

    // One LoRTA golden: of all four matrices where there is one. The others are checked by the tests of `lorta gradcheck`.
    private static string? GoldenOf(string export) => Goldens.WithExports
        .Where(pair => pair.Export == export && pair.Golden.Contains(".lorta", StringComparison.Ordinal))
        .Select(pair => pair.Golden)
        .OrderByDescending(golden => golden.EndsWith("-qkvp", StringComparison.Ordinal))
        .FirstOrDefault();

    private static FoldFacts FoldedOf(UnderstoodModel model, Adapter adapter, OnnxModel adapted, ExportOptions options, string path)
    {
        var result = RandomAdapter.Evaluator.Fold(model, adapter, options);
        result.Model.Save(path);
        return new FoldFacts(RandomAdapter.Evaluator.Compare(adapted, OnnxModel.Load(path), new VerifyOptions { Length = 12 }).MaxRelDiff, result.Rounding());
    }
}

/// <summary>What works on a file.</summary>
/// <param name="Gradients">Whether derived gradients passed, and against what.</param>
/// <param name="Folded">The folded file against the adapted canonical graph.</param>
/// <param name="Beside">The file with the adapter beside an untouched base, against the same.</param>
internal sealed record WorkingFacts(GradientFacts Gradients, FoldFacts Folded, double Beside);

/// <summary>Whether gradients passed.</summary>
/// <param name="Golden">The golden that they were held against; null = central differences.</param>
/// <param name="IsOk">Whether every limit was kept.</param>
internal sealed record GradientFacts(string? Golden, bool IsOk);

/// <summary>How far an exported file is from base + adapter.</summary>
/// <param name="Difference">Largest difference of logits, relative to the largest.</param>
/// <param name="Rounding">What the stored types cost; null where nothing was rounded.</param>
internal sealed record FoldFacts(double Difference, Rounding? Rounding);
