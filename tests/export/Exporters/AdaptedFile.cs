using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>An adapter on one file: an exported model, or a small graph in the spelling of a model family.</summary>
/// <param name="Name">The fixture: <c>llama-mini/ts-sdpa</c>, or <c>gpt2</c>.</param>
/// <param name="Options">The adapter.</param>
internal sealed record AdaptedFile(string Name, AdapterOptions Options)
{
    private readonly OnnxModel _deployed = OnnxModel.Load(Name.Contains('/', StringComparison.Ordinal) ? Exports.Path(Name) : Architectures.All.Single(architecture => architecture.Name == Name).Path);
    private UnderstoodModel? _understood;
    private Adapter? _adapter;
    private OnnxModel? _adapted;

    /// <summary>All files in which every linear layer is understood.</summary>
    public static IEnumerable<string> Understood => Exports.All.Concat(Architectures.All
        .Where(architecture => architecture.Projections.Length > 0 && architecture.Projections.All(projection => projection is not null) && architecture.Mlp[2] is not null)
        .Select(architecture => architecture.Name));

    /// <summary>How exactly an exported file computes what the adapted model computes.</summary>
    public double Limit => Name.Contains("fp16", StringComparison.Ordinal) || Name.StartsWith("minilm", StringComparison.Ordinal) ? 5e-3 : 1e-5;

    /// <summary>The products of the largest model stay float32, too coarse for some small gradients.</summary>
    public bool IsLarge => Name.StartsWith("smollm2", StringComparison.Ordinal);

    /// <summary>How far the base is from base + adapter.</summary>
    public double Effect => DifferenceTo(_deployed);

    private UnderstoodModel Base => _understood ??= UnderstoodModel.Of(_deployed);

    private bool ArePatterns => LortaCatalog.Default.TargetsOf(Options.Method)!.AreParameters;

    // One layer of the largest model: its thirty are alike.
    private AdapterOptions Chosen => !IsLarge ? Options : ArePatterns ? Options with { Targets = ["*layers.0.*"] } : Options with { Layers = LayerChoice.Of(0) };

    private string Task => Name switch
    {
        _ when Name.Contains("mlm.", StringComparison.Ordinal) => "masked-lm",
        _ when Name.Contains("tokencls", StringComparison.Ordinal) => "token-classification",
        _ => Name.Split('/', '.') is ["roberta-mini" or "esm-mini" or "minilm", ..] ? "classification" : "causal-lm",
    };

    /// <summary>Derived gradients against central differences.</summary>
    public DifferenceResult Gradients()
    {
        var plan = AdapterPlan.Of(Base, Chosen);
        var adapter = OfOneLayer(Math.Min(2, plan.Architecture.Layers - 1));
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(Base, adapter), seed: 0);
        var graphs = TrainingGraphs.Build(Base.Copy(), new TrainingOptions { Adapter = adapter, Task = Task, Values = values }, LortaCatalog.Default);
        var batch = SampleBatch.For(Task, plan.Architecture.Vocab ?? 2, graphs.Evaluation.Classes!.Value, seed: 0);
        return new CentralDifferenceCheck(graphs, new OrtEngineOptions(), seed: 0).Run(batch);
    }

    /// <summary>How far an exported file is from base + adapter, and what the stored types cost.</summary>
    public (double Difference, Rounding? Rounding) Exported(ExportOptions options)
    {
        using var folder = new TestFolder();
        var result = RandomAdapter.Evaluator.Fold(Base, Adapter(), options);
        result.Model.Save(folder["exported.onnx"]);
        return (DifferenceTo(OnnxModel.Load(folder["exported.onnx"])), result.Rounding());
    }

    /// <summary>How far base + adapter is from the base where it is switched off.</summary>
    public double SwitchedOff()
    {
        var adapted = AdaptedModels.Switchable(Base, Adapter(), allowOtherBase: false, LortaCatalog.Default);
        var runner = ModelRunner.Of(RandomAdapter.Evaluator, new VerifyOptions { Length = 12 }, _deployed);
        using var open = runner.Open(adapted.Model);
        var difference = OutputDifference.Between(runner.Run(Base.Canonical.Model), open.RunAll(adapted.Off));
        return difference.Largest / Math.Max(difference.Size, double.Epsilon);
    }

    // Of the layers of an exported model, which are alike, one: every step of a difference runs the model twice.
    private AdapterOptions OfOneLayer(int layer)
    {
        if (IsLarge || !Name.Contains('/', StringComparison.Ordinal)) return Chosen;
        if (!ArePatterns) return Options with { Layers = LayerChoice.Of(layer) };
        return FamilyMatrix.IsWhole || Options.Method != "full" ? Options : Options with { Targets = [$"*.{layer}.*"] };
    }

    private Adapter Adapter() => _adapter ??= RandomAdapter.For(Base, Chosen);

    private double DifferenceTo(OnnxModel other)
    {
        _adapted ??= AdaptedModels.Switchable(Base, Adapter(), allowOtherBase: false, LortaCatalog.Default).Model;
        return RandomAdapter.Evaluator.Compare(_adapted, other, new VerifyOptions { Length = 12 }).MaxRelDiff;
    }
}
