using LoRTA.Onnx.GraphGen.Ir.Tensors;
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
    // Modules that PyTorch's models call their head.
    private static readonly string[] Known = ["classifier", "score", "pre_classifier", "qa_outputs"];

    // Hugging Face's initializer_range, and PyTorch's own U(−1/√in, 1/√in), whose deviation is 1/√(3·in).
    private const double UsualDeviation = 0.02;
    private const double Tolerance = 0.2;

    /// <summary>The head of a model.</summary>
    /// <param name="model">The deployed model.</param>
    /// <param name="task">What it is trained for.</param>
    public static ClassifierHead Of(OnnxModel model, string task)
    {
        if (TrainingTasks.Find(task)?.Predictions is null) return new([], []);
        var names = ParameterNames.Of(model);
        var modules = Known.Where(module => names.Any(name => IsIn(module, name.Name))).ToList();
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
        var what = IsUntrained(model)
            ? $"The head ({string.Join(", ", Modules)}) holds random numbers, as before any training, and stays frozen."
            : $"The head ({string.Join(", ", Modules)}) stays frozen, which is right only if it was trained for these labels.";
        return $"{what} To train it too, add to the recipe: trainables: [{string.Join(", ", Modules.Select(PatternOf))}]";
    }

    private bool IsPart(TrainedTensor tensor) =>
        tensor.Input.Kind == TensorKind.Parameter && Modules.Any(module => IsIn(module, tensor.Input.Name));

    private static bool IsIn(string module, string parameter) => parameter.StartsWith(module + ".", StringComparison.Ordinal);

    // Biases start at zero, and no training leaves them there. A file may leave out those that are zero.
    private bool IsUntrained(OnnxModel model)
    {
        var tensors = Parameters.Where(name => model.Graph.Find(name.Initializer)?.Constant?.Type.IsFloat() == true)
            .Select(name => ModelParameters.ReadParameter(model, name)).ToList();
        return tensors.Count > 0 && tensors.TrueForAll(tensor => tensor.Rank == 2 ? IsRandom(tensor) : tensor.ToFloats().All(x => x == 0));
    }

    private static bool IsRandom(OnnxTensor weight)
    {
        var deviation = Math.Sqrt(weight.ToFloats().Average(x => (double)x * x));
        return IsNear(UsualDeviation) || IsNear(1 / Math.Sqrt(3 * weight.Dims[^1]));

        bool IsNear(double expected) => Math.Abs(deviation - expected) <= Tolerance * expected;
    }
}
