using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>A parameter of the model that trains along, in PyTorch's name and orientation.</summary>
/// <param name="Name">Name.</param>
/// <param name="Initial">Its value in the file, [out, in] for a linear layer's weight.</param>
/// <param name="Group">Learning rate and decay.</param>
internal sealed record ModelParameter(string Name, OnnxTensor Initial, ParameterGroup Group)
{
    /// <summary>The input of the training copy that holds it.</summary>
    public TensorName Input => new(TensorKind.Parameter, Name);
}

/// <summary>Which of a model's parameters train along.</summary>
/// <param name="Patterns">Names or patterns.</param>
/// <param name="Names">The model's parameters; null = derived from the file.</param>
internal sealed record TrainableChoice(IReadOnlyList<TrainablePattern> Patterns, IReadOnlyList<ParameterName>? Names = null);

/// <summary>Makes parameters of a model inputs of its training copy.</summary>
internal static class ModelParameters
{
    /// <summary>Turns every parameter that a pattern matches into an input <c>param.&lt;name&gt;</c> and lets its readers read
    /// that.</summary>
    /// <exception cref="LortaException">LRT307: a pattern matches nothing; LRT314: a parameter that cannot be trained.</exception>
    public static IReadOnlyList<ModelParameter> MakeInputs(CanonicalModel canonical, Tape tape, TrainableChoice trainables)
    {
        if (trainables.Patterns.Count == 0) return [];
        var names = trainables.Names ?? ParameterNames.Of(canonical.Deployed);
        var chosen = new SortedDictionary<string, ParameterGroup>(StringComparer.Ordinal);
        foreach (var pattern in trainables.Patterns)
        {
            var matching = names.Select(name => name.Name).Where(pattern.Fits).ToList();
            if (matching.Count == 0 && !(pattern.IsExact && OmittedBias.Exists(canonical, names, pattern.Match)))
                throw ParameterErrors.NoMatch(pattern.Match, Close(names, pattern));
            foreach (var name in matching.DefaultIfEmpty(pattern.Match)) chosen.TryAdd(name, pattern.Group);
        }
        return [.. chosen.Select(pair => MakeInput(canonical, tape, names, pair.Key, pair.Value))];
    }

    private static ModelParameter MakeInput(
        CanonicalModel canonical, Tape tape, IReadOnlyList<ParameterName> names, string name, ParameterGroup group)
    {
        using var scope = tape.Scope(new TensorName(TensorKind.Parameter, name));
        if (names.FirstOrDefault(candidate => candidate.Name == name) is not { } stored)
            return new(name, OmittedBias.Insert(canonical, tape, names, name), group);
        var initial = ReadParameter(canonical.Deployed, stored);
        var input = tape[tape.Graph.AddInput(new TensorName(TensorKind.Parameter, name), ElementType.Float, Shape.Of(initial))];
        var copies = stored.Also.Prepend(stored.Initializer).SelectMany(initializer => Copies(canonical, initializer, stored)).ToList();
        var uses = copies.Select(copy => (copy, Readers: ReadersOf(copy.Constant, names, stored)))
            .Where(copy => copy.Readers.Count > 0)
            .ToList();
        if (uses.Count == 0)
            throw ParameterErrors.CannotTrain(
                name,
                copies.Count == 0
                    ? "the graph does not compute with it"
                    : $"the file stores it in one tensor with other parameters, '{stored.Initializer}', "
                        + "and its nodes do not tell whose is whose");
        foreach (var ((constant, transposed), readers) in uses)
            Replace(tape, (constant, readers), (transposed ? input.T : input).Scaled(ScaleOf(canonical, constant, name)), stored);
        return new(name, initial, group);
    }

    // A single number that the file multiplies the parameter with (Gemm's alpha and beta).
    private static double ScaleOf(CanonicalModel canonical, Value constant, string name) =>
        (canonical.OriginOf(constant)!.IsScaled, canonical.FactorOf(constant)) switch
        {
            (false, null or { ByInput: null, ByOutput: null }) => 1,
            (false, { ByInput: null, ByOutput: [var single] }) => single,
            _ => throw ParameterErrors.CannotTrain(name, "the file scales its features on the way to the product"),
        };

    /// <summary>The parameter's numbers in PyTorch's orientation.</summary>
    public static OnnxTensor ReadParameter(OnnxModel deployed, ParameterName name)
    {
        var stored = deployed.Graph.Find(name.Initializer)!.Constant!;
        if (!stored.Type.IsFloat()) throw ParameterErrors.CannotTrain(name.Name, $"it is stored as {stored.Type.Display()}");
        if (stored.Rank < 2)
        {
            var (start, end) = name.Slice is { } part ? (part.Start, part.End) : (0, stored.Count);
            return OnnxTensor.Of<float>(stored.Rank == 0 ? [] : [end - start], stored.ToFloats().AsSpan((int)start, (int)(end - start)));
        }
        if (stored.Rank > 2) return OnnxTensor.Of<float>([.. stored.Dims], stored.ToFloats());
        var matrix = MatrixOf(stored, name);
        return OnnxTensor.Of<float>([matrix.Out, matrix.In], TensorAxes.Transposed(matrix.Read(), matrix.In, matrix.Out));
    }

    /// <summary>The place of a rank-2 parameter [out, in] in its stored tensor.</summary>
    public static WeightView MatrixOf(OnnxTensor stored, ParameterName name) =>
        new(
            new FloatNumbers(stored),
            name.Layout,
            [name.Slice is { } part ? (part.Start, part.End) : (0, stored.Dims[name.IsTransposed ? 1 : 0])]);

    // The constants of the training copy that come from an initializer, and whether each is the transpose of PyTorch's tensor.
    private static IEnumerable<(Value Constant, bool Transposed)> Copies(CanonicalModel canonical, string initializer, ParameterName name)
    {
        var isTransposed = IsTransposed(canonical.Deployed, initializer, name);
        return from value in canonical.Model.Graph.Initializers.ToList()
               where !value.IsInput && canonical.OriginOf(value) is { } origin && origin.Initializer == initializer
               select (value, isTransposed ^ canonical.OriginOf(value)!.IsTransposed);
    }

    /// <summary>Whether a stored copy is the transpose of PyTorch's tensor. A tied copy of [a, b] may be stored [b, a]; for square ones the
    /// numbers tell.</summary>
    public static bool IsTransposed(OnnxModel deployed, string copy, ParameterName name)
    {
        if (copy == name.Initializer) return name.IsTransposed;
        var (first, second) = (deployed.Graph.Find(name.Initializer)!.Constant!, deployed.Graph.Find(copy)!.Constant!);
        return first.Dims.SequenceEqual(second.Dims) && first.Bytes.SequenceEqual(second.Bytes) ? name.IsTransposed : !name.IsTransposed;
    }

    private static HashSet<Use> ReadersOf(Value constant, IReadOnlyList<ParameterName> names, ParameterName name) =>
        [.. MergedParameters.IsMerged(names, name, constant.Constant!)
            ? constant.Uses.Where(use => MergedParameters.IsAppliedBy(name, use.Node.Source ?? use.Node))
            : constant.Uses];

    private static void Replace(Tape tape, (Value Constant, HashSet<Use> Readers) use, Expr parameter, ParameterName name)
    {
        var (constant, readers) = use;
        if (parameter.Rank != constant.Rank && name.Slice is null) parameter = parameter.Reshape(constant.Shape!.Known!);
        var whole = name.Slice is null
            ? parameter
            : Patched(tape[constant], parameter, name.IsTransposed ? constant.Rank - 1 : 0, name.Slice.Value);
        tape.Graph.ReplaceUses(constant, whole.Value, readers.Contains);
    }

    // The stored tensor with one part of it replaced.
    private static Expr Patched(Expr stored, Expr part, long axis, (int Axis, long Start, long End) slice)
    {
        var size = stored.Shape[(int)axis].Value!.Value;
        var parts = new List<Expr>();
        if (slice.Start > 0) parts.Add(stored.Slice(axis, 0, slice.Start));
        parts.Add(part);
        if (slice.End < size) parts.Add(stored.Slice(axis, slice.End, size));
        return parts.Count == 1 ? part : Expr.Concat(axis, [.. parts]);
    }

    private static IEnumerable<string> Close(IReadOnlyList<ParameterName> names, TrainablePattern pattern)
    {
        var stem = pattern.Match.Split('.', '*').Where(part => part.Length > 0).ToArray();
        return names.Select(name => name.Name).Where(name => stem.Any(part => name.Contains(part, StringComparison.Ordinal))).Take(3);
    }
}
