using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>A parameter of the model that is trained, in PyTorch's name and orientation.</summary>
/// <param name="Name">Name.</param>
/// <param name="Initial">Its value in the file, [out, in] for a linear layer's weight.</param>
/// <param name="Group">Learning rate and decay.</param>
internal sealed record ModelParameter(string Name, OnnxTensor Initial, ParameterGroup Group)
{
    /// <summary>The input of the training copy that holds it.</summary>
    public TensorName Input => new(TensorKind.Parameter, Name);
}

/// <summary>Which of a model's parameters are trained.</summary>
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
        var chosen = Chosen(
            canonical.Deployed, names, trainables.Patterns, pattern => ParameterErrors.NoMatch(pattern.Match, Close(names, pattern)));
        var constants = new TrainedConstants(canonical, tape, names);
        var parameters = chosen.Select(pair => MakeInput(constants, pair.Key, pair.Value)).ToList();
        constants.Write();
        return parameters;
    }

    /// <summary>The names that patterns choose, in alphabetical order. Of several names of one parameter (tied weights) one
    /// counts.</summary>
    /// <param name="deployed">The model.</param>
    /// <param name="names">Its parameters.</param>
    /// <param name="patterns">The patterns; the first that fits a name decides about its group.</param>
    /// <param name="noMatch">What to say of a pattern that matches nothing.</param>
    public static SortedDictionary<string, ParameterGroup> Chosen(
        OnnxModel deployed,
        IReadOnlyList<ParameterName> names,
        IReadOnlyList<TrainablePattern> patterns,
        Func<TrainablePattern, LortaException> noMatch)
    {
        var chosen = new SortedDictionary<string, ParameterGroup>(StringComparer.Ordinal);
        foreach (var pattern in patterns)
        {
            var matching = names.Select(name => name.Name).Where(pattern.Fits).ToList();
            if (matching.Count == 0 && !(pattern.IsExact && OmittedBias.Product(deployed, names, pattern.Match) is not null))
                throw noMatch(pattern);
            foreach (var name in matching.DefaultIfEmpty(pattern.Match)) chosen.TryAdd(name, pattern.Group);
        }
        foreach (var tied in Tied(deployed, [.. names.Where(name => chosen.ContainsKey(name.Name))])) chosen.Remove(tied);
        return chosen;
    }

    // Further names of parameters that have another one: of matrices the first counts, of vectors the one under which the file keeps them.
    private static List<string> Tied(OnnxModel deployed, IReadOnlyList<ParameterName> names)
    {
        var (kept, tied) = (new List<ParameterName>(), new List<string>());
        foreach (var name in names)
        {
            var stored = deployed.Graph.Find(name.Initializer)!;
            var same = stored.Rank >= 2 ? kept.FirstOrDefault(name.IsTiedTo) : OfVector(stored, name);
            if (same is null) kept.Add(name);
            else if (stored.Rank >= 2 || name.Name != name.Initializer) tied.Add(name.Name);
            else
            {
                tied.Add(same.Name);
                kept[kept.IndexOf(same)] = name;
            }
        }
        return tied;

        ParameterName? OfVector(Value stored, ParameterName name)
        {
            var others = kept.Where(other => other.Initializer == name.Initializer && (name.Slice, other.Slice) is (null, null)).ToList();
            if (others.Count == 0) return null;
            var readers = StoredPath.ReadersOf(stored).Select(use => use.Node).ToList();
            return others.FirstOrDefault(other => MergedParameters.AreTied(name, other, readers));
        }
    }

    private static ModelParameter MakeInput(TrainedConstants constants, string name, ParameterGroup group)
    {
        var (canonical, tape, names) = (constants.Canonical, constants.Tape, constants.Names);
        using var scope = tape.Scope(new TensorName(TensorKind.Parameter, name));
        if (names.FirstOrDefault(candidate => candidate.Name == name) is not { } stored)
            return new(name, OmittedBias.Insert(canonical, tape, names, name), group);
        var initial = ReadParameter(canonical.Deployed, stored);
        var input = tape.Graph.AddInput(new TensorName(TensorKind.Parameter, name), ElementType.Float, Shape.Of(initial));
        constants.Replace(stored, tape[input]);
        return new(name, initial, group);
    }

    /// <summary>The parameter's numbers in PyTorch's orientation. Those that the file stores in that way stay in it; transposed ones are
    /// made whenever they are read, and not kept.</summary>
    public static OnnxTensor ReadParameter(OnnxModel deployed, ParameterName name)
    {
        var stored = deployed.Graph.Find(name.Initializer)!.Constant!;
        if (!stored.Type.IsFloat()) throw ParameterErrors.CannotTrain(name.Name, $"it is stored as {stored.Type.Display()}");
        if (stored.Rank == 2) return ReadMatrix(stored, name);
        var isWhole = stored.Rank != 1 || name.Slice is null;
        if (isWhole && stored.Type == ElementType.Float) return stored;
        var (start, end) = isWhole ? (0, stored.Count) : (name.Slice!.Value.Start, name.Slice.Value.End);
        return OnnxTensor.Of<float>(
            isWhole ? [.. stored.Dims] : [end - start], stored.ToFloats().AsSpan((int)start, (int)(end - start)));
    }

    private static OnnxTensor ReadMatrix(OnnxTensor stored, ParameterName name)
    {
        var matrix = MatrixOf(stored, name);
        if (stored.Type == ElementType.Float && !name.IsTransposed)
            return name.Slice is { } rows ? stored.Rows(rows.Start, rows.End) : stored;
        return OnnxTensor.Streamed(
            ElementType.Float,
            [matrix.Out, matrix.In],
            () => MemoryMarshal.AsBytes<float>(TensorAxes.Transposed(matrix.Read(), matrix.In, matrix.Out)).ToArray());
    }

    /// <summary>The place of a rank-2 parameter [out, in] in its stored tensor.</summary>
    public static WeightView MatrixOf(OnnxTensor stored, ParameterName name) =>
        new(
            new FloatNumbers(stored),
            name.Layout,
            [name.Slice is { } part ? (part.Start, part.End) : (0, stored.Dims[name.IsTransposed ? 1 : 0])]);

    /// <summary>Whether a stored copy is the transpose of PyTorch's tensor. A tied copy of [a, b] may be stored [b, a]; for square ones the
    /// numbers tell.</summary>
    public static bool IsTransposed(OnnxModel deployed, string copy, ParameterName name)
    {
        if (copy == name.Initializer) return name.IsTransposed;
        var (first, second) = (deployed.Graph.Find(name.Initializer)!.Constant!, deployed.Graph.Find(copy)!.Constant!);
        return first.Dims.SequenceEqual(second.Dims) && first.Bytes.SequenceEqual(second.Bytes) ? name.IsTransposed : !name.IsTransposed;
    }

    private static IEnumerable<string> Close(IReadOnlyList<ParameterName> names, TrainablePattern pattern)
    {
        var stem = pattern.Match.Split('.', '*').Where(part => part.Length > 0).ToArray();
        return names.Select(name => name.Name).Where(name => stem.Any(part => name.Contains(part, StringComparison.Ordinal))).Take(3);
    }
}
