using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Parameters;
using LoRTA.Onnx.GraphGen.Patterns;

namespace LoRTA.Onnx.GraphGen.Adapters.Planning;

/// <summary>A parameter of the model itself that an adapter's family trains. It starts as the file has it; in adapter files it is
/// <c>param.&lt;name&gt;</c>.</summary>
/// <param name="Name">PyTorch's name of it.</param>
/// <param name="Dims">Dimensions in PyTorch's orientation, [out, in] for the weight of a linear layer.</param>
public sealed record FamilyParameter(string Name, IReadOnlyList<long> Dims)
{
    private const int Named = 3;   // so many names in one sentence

    /// <summary>Number of elements.</summary>
    public long Count => Dims.Size();

    /// <summary>Those that the options choose in a model.</summary>
    /// <param name="deployed">The model.</param>
    /// <param name="options">The adapter; its targets are patterns.</param>
    /// <param name="names">The model's parameters; null = derived from the file.</param>
    /// <exception cref="LortaException">LRT307: a pattern matches nothing; LRT314: a parameter whose numbers are rounded in the
    /// file.</exception>
    internal static IReadOnlyList<FamilyParameter> Of(OnnxModel deployed, AdapterOptions options, IReadOnlyList<ParameterName>? names)
    {
        names ??= ParameterNames.Of(deployed);
        var patterns = (options.StoredParameters ?? options.Targets!).Select(match => new TrainablePattern { Match = match });
        var chosen = ModelParameters.Chosen(
            deployed, names, [.. patterns], pattern => ParameterErrors.NoMatch(pattern.Match, [], ParameterErrors.Targets)).Keys;
        // what was trained elsewhere may be rounded into this file, but nothing can be learned in such numbers
        foreach (var name in names.Where(name => options.StoredParameters is null && chosen.Contains(name.Name)))
            if (deployed.Graph.Find(name.Initializer)!.Constant!.Type is not ElementType.Float and var type)
                throw ParameterErrors.CannotTrain(
                    name.Name, $"the file stores it as {type.Display()}, which rounds small changes off", ParameterErrors.Targets);
        return [.. chosen.Select(name => new FamilyParameter(name, ParameterShapes.Of(deployed, names, name)!))];
    }

    /// <summary>What the options choose and training leaves as it is: what the file stores with other axes than the parameter has, and
    /// what is named neither weight nor bias.</summary>
    internal static IEnumerable<Finding> LeftOut(OnnxModel deployed, AdapterPlan plan)
    {
        if (!plan.Family.Targets.AreParameters) return [];
        var patterns = plan.Options.Targets!.Select(match => new TrainablePattern { Match = match }).ToList();
        var names = ParameterNames.Untied(deployed).Where(name => IsChosen(name.Name)).ToList();
        var others = deployed.Graph.Initializers.Where(IsOfAnotherName).ToList();
        return
        [
            .. names.Where(name => name.Matrix is not null).Select(name => new Finding(
                name.Name, $"stays as it is: the file stores this matrix with other axes ('{name.Initializer}')")),
            .. others.Count == 0 ? [] : new[] { NotTrained(plan.Family.Method, others) },
        ];

        bool IsChosen(string name) => patterns.Any(pattern => pattern.Fits(name));

        bool IsOfAnotherName(Value stored) => stored.Type.IsFloat() && stored.Constant!.Count > 1 && ModuleScope.IsPath(stored.Name)
            && IsChosen(stored.Name) && !names.Exists(name => name.Initializer == stored.Name);
    }

    private static Finding NotTrained(string method, List<Value> others) => new(
        method,
        FormattableString.Invariant($"trains what is named weight or bias; {others.Count} other stored tensors with together ")
            + FormattableString.Invariant($"{others.Sum(stored => stored.Constant!.Count)} numbers stay as they are: ")
            + $"{string.Join(", ", others.Take(Named).Select(stored => $"'{stored.Name}'"))}"
            + (others.Count > Named ? $" and {others.Count - Named} more" : string.Empty));
}
