using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The layers behind a model's body that turn what it computes into class scores or a number.</summary>
/// <param name="Modules">Their names, none for a task without labels.</param>
/// <param name="Parameters">Their parameters as the file stores them.</param>
internal sealed record ClassifierHead(IReadOnlyList<string> Modules, IReadOnlyList<ParameterName> Parameters)
{
    // Modules that PyTorch's models call their head. Others are found by the last linear layer in front of the scores alone.
    private static readonly string[] Known = ["classifier", "score", "pre_classifier", "qa_outputs"];

    /// <summary>The head of a model.</summary>
    /// <param name="model">The deployed model.</param>
    /// <param name="task">What it is trained for.</param>
    public static ClassifierHead Of(OnnxModel model, string task)
    {
        if (TrainingTasks.Find(task)?.Predictions is null) return new([], []);
        var names = ParameterNames.Of(model);
        var modules = Known.Where(module => names.Any(name => IsIn(module, name.Name))).ToList();
        if (LastLinear.Of(model, names) is { } last && !modules.Exists(module => last == module || IsIn(module, last))) modules.Add(last);
        return new(modules, [.. names.Where(name => modules.Exists(module => IsIn(module, name.Name)))]);
    }

    /// <summary>The entry of <c>trainables</c> that trains a module.</summary>
    public static string PatternOf(string module) => $"{{ match: \"{module}.*\", lr: 1e-3 }}";

    /// <summary>What to know where nothing of the head is trained; null where some of it is.</summary>
    /// <param name="model">The deployed model.</param>
    /// <param name="trained">What the run trains.</param>
    public string? Warning(OnnxModel model, IReadOnlyList<TrainedTensor> trained)
    {
        if (Modules.Count == 0 || trained.Any(IsPart)) return null;
        var head = $"The head ({string.Join(", ", Modules)})";
        var what = WhyUntrained(model) is { } why
            ? $"{head} looks untrained ({why}) and stays frozen."
            : $"{head} stays frozen, which is right only if it was trained for these labels.";
        return $"{what} To train it too, add to the recipe: trainables: [{string.Join(", ", Modules.Select(PatternOf))}]";
    }

    private bool IsPart(TrainedTensor tensor) =>
        tensor.Input.Kind == TensorKind.Parameter && Modules.Any(module => IsIn(module, tensor.Input.Name));

    private static bool IsIn(string module, string parameter) => parameter.StartsWith(module + ".", StringComparison.Ordinal);

    // What speaks for it in each of the layers; null where one of them does not look so.
    private string? WhyUntrained(OnnxModel model)
    {
        var signs = Parameters.Where(name => model.Graph.Find(name.Initializer)?.Constant?.Type.IsFloat() == true)
            .GroupBy(name => ModuleScope.Parent(name.Name), name => ModelParameters.ReadParameter(model, name))
            .Select(layer => FreshLinear.SignOf([.. layer])).Distinct().ToList();
        return signs.Count > 0 && !signs.Contains(null) ? string.Join("; ", signs) : null;
    }
}
