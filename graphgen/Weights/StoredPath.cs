using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>The way from a value of a deployed graph back to the one tensor that the file stores for it. All questions about what lies
/// behind a value are asked here; of the canonical graph, <c>StoredMatrixOperand</c> asks for matrices with further axes.</summary>
/// <param name="Value">The value.</param>
/// <param name="Stored">The initializer, or the output of a Constant node.</param>
/// <param name="Steps">The operators in between, in the order of the data.</param>
internal sealed record StoredPath(Value Value, Value Stored, IReadOnlyList<StoredStep> Steps)
{
    private const int MostValues = 64;   // between a weight and the tensors that it is made of
    private const int MostScales = 6;    // one behind the other; both sides of each are followed

    private readonly Lazy<StoredAxes?> _axes = new(() => AxesAfter(Stored, Steps, Steps.Count));

    /// <summary>The numbers that are stored.</summary>
    public OnnxTensor Tensor => Stored.StoredTensor()!;

    /// <summary>Names of the operators in between.</summary>
    public IReadOnlyList<string> Through => [.. Steps.Select(step => step.Node.OpType)];

    /// <summary>Whether the numbers of the value are those that are stored, up to their type and scale: nothing rounds in
    /// between.</summary>
    public bool IsExact => Steps.All(step => step.Effect != ViewEffect.Rounding);

    /// <summary>Where the elements of the value lie in the stored tensor; null where a shape is computed.</summary>
    public StoredAxes? Axes => _axes.Value;

    /// <summary>Whether the value is the stored matrix transposed.</summary>
    public bool IsTransposed => Axes?.Matrix()?.IsTransposed ?? Steps.Count(step => step.Effect == ViewEffect.Axes) % 2 == 1;

    /// <summary>The values passed, from the value back to the stored tensor.</summary>
    public IEnumerable<Value> Values => Steps.Reverse().Select(step => step.Node.Output).Append(Stored);

    /// <summary>Follows a value back; null where it is computed from inputs, or from several stored tensors of its size, and where it is a
    /// part of one (Split, Slice).</summary>
    public static StoredPath? Of(Value? value) => Of(value, MostScales);

    private static StoredPath? Of(Value? value, int scales)
    {
        var steps = new List<StoredStep>();
        for (var at = value; at is not null; at = steps[0].Node.Input(steps[0].Input))
        {
            if (at.StoredTensor() is not null && (at.IsStored || at.Producer!.Op == "Constant"))
                return new StoredPath(value!, at, steps);
            if (at.Producer is not { } node || node.Output != at || StepOf(node, scales) is not { } step) return null;
            if (step.Effect is ViewEffect.Scale or ViewEffect.ZeroPoint) scales--;
            steps.Insert(0, step);
        }
        return null;
    }

    /// <summary>Why a value that depends on no input is not one stored tensor; null where it is one, or is computed from inputs.</summary>
    public static string? WhyNot(Value? value)
    {
        if (value is null || !IsMadeOfMatrices(value)) return null;
        if (Of(value) is { } path)
            return path.Steps.FirstOrDefault(step => step.Effect == ViewEffect.Rounding) is { } step ? GoesThrough(step.Node) : null;
        var at = value;
        while (at.Producer is { } node && StepOf(node) is { } step) at = node.Input(step.Input)!;
        return at.Producer switch
        {
            { Op: "Add" or "Sum" } sum => $"the weight is a sum of stored tensors (Add '{sum.Label}')",
            { } node => GoesThrough(node),
            null => null,
        };

        static string GoesThrough(Node node) => $"the weight goes through {node.OpType} ('{node.Label}')";
    }

    /// <summary>The nodes that compute with a stored tensor, behind operators that only show it in another way.</summary>
    /// <param name="stored">The tensor.</param>
    /// <param name="through">Which of these operators are passed; null = all that do not round.</param>
    public static IEnumerable<Use> ReadersOf(Value stored, Func<ViewEffect, bool>? through = null)
    {
        foreach (var use in stored.Uses)
        {
            if (use.Index >= 0 && StepOf(use.Node) is { } step && step.Input == use.Index
                && (through ?? (effect => effect != ViewEffect.Rounding))(step.Effect))
                foreach (var further in ReadersOf(use.Node.Output, through)) yield return further;
            else
                yield return use;
        }
    }

    /// <summary>What each stored number is multiplied by on the way, by its position; null where nothing scales. (The scale of codes is
    /// not counted: it belongs to the stored form.)</summary>
    public Func<long, float>? Factor()
    {
        var factors = new List<Func<long, float>>();
        var isOfCodes = !Tensor.Type.IsFloat() && Steps.All(step => step.Effect != ViewEffect.Codes);
        for (var i = 0; i < Steps.Count; i++)
        {
            if (Steps[i].Effect != ViewEffect.Scale) continue;
            if (isOfCodes) isOfCodes = false;
            else if (AxesAfter(Stored, Steps, i) is { } axes) factors.Add(FactorOf(Steps[i], axes));
        }
        return factors.Count switch
        {
            0 => null,
            1 => factors[0],
            _ => stored => factors.Aggregate(1f, (product, factor) => product * factor(stored)),
        };
    }

    /// <summary>The numbers of the value, with their sizes; null where they are not known without running the graph.</summary>
    public (float[] Numbers, long[] Dims)? Read()
    {
        if (Axes is not { } axes || !Tensor.Type.IsFloat()
            || Steps.Any(step => step.Effect is ViewEffect.Rounding or ViewEffect.Codes or ViewEffect.ZeroPoint)) return null;
        var stored = Tensor.ToFloats();
        var dims = axes.Dims;
        var factor = Factor();
        var numbers = new float[stored.Length];
        for (var position = 0L; position < stored.Length; position++)
        {
            var index = 0L;
            for (var axis = 0; axis < dims.Length; axis++) index = (index * dims[axis]) + axes.IndexAlong(axis, position);
            numbers[index] = stored[position] * (factor?.Invoke(position) ?? 1);
        }
        return (numbers, dims);
    }

    private static Func<long, float> FactorOf(StoredStep step, StoredAxes axes)
    {
        var (numbers, dims) = Of(step.Node.Input(1 - step.Input))!.Read()!.Value;
        if (step.Node.Op == "Div") numbers = Array.ConvertAll(numbers, number => 1 / number);
        if (numbers.Length == 1) return _ => numbers[0];
        var shift = axes.Dims.Length - dims.Length;
        var varying = Enumerable.Range(0, dims.Length).Where(axis => dims[axis] > 1).ToArray();
        return stored =>
        {
            var index = 0L;
            foreach (var axis in varying) index = (index * dims[axis]) + axes.IndexAlong(axis + shift, stored);
            return numbers[index];
        };
    }

    private static StoredStep? StepOf(Node node, int scales = MostScales)
    {
        if (ViewOps.EffectOf(node) is not { } effect) return null;
        if (effect is not (ViewEffect.Scale or ViewEffect.ZeroPoint)) return new StoredStep(node, 0, effect);
        if (scales == 0) return null;
        var paths = new[] { Of(node.Input(0), scales - 1), Of(node.Input(1), scales - 1) };
        if (paths is not [{ Axes: not null } a, { Axes: not null } b]) return null;
        var input = a.Tensor.Count >= b.Tensor.Count ? 0 : 1;
        if (input == 1 && node.Op != "Mul") return null;
        var (data, other) = input == 0 ? (a, b) : (b, a);
        var isScale = other.Tensor.Count == 1 || (other.Tensor.Count < data.Tensor.Count && Repeats(other.Axes!.Dims, data.Axes!.Dims));
        if (!isScale || (effect == ViewEffect.Scale && other.Read() is null)) return null;
        return effect == ViewEffect.Scale || !data.Tensor.Type.IsFloat() ? new StoredStep(node, input, effect) : null;
    }

    // Whether a tensor is repeated along axes of another one and makes it no larger.
    private static bool Repeats(long[] dims, long[] over) =>
        dims.Length <= over.Length && dims.Reverse().Zip(over.Reverse()).All(pair => pair.First == 1 || pair.First == pair.Second);

    // Whether a value depends on stored tensors alone, one of which has rows and columns.
    private static bool IsMadeOfMatrices(Value value)
    {
        var open = new Stack<Value>([value]);
        var seen = new HashSet<Value>();
        var hasMatrix = false;
        while (open.TryPop(out var at))
        {
            if (!seen.Add(at)) continue;
            if (at.StoredTensor() is { } stored) hasMatrix |= stored.Dims.Count(dim => dim > 1) >= 2;
            else if (at.Producer is not { } node || seen.Count > MostValues) return false;
            else foreach (var input in node.Inputs.OfType<Value>()) open.Push(input);
        }
        return hasMatrix;
    }

    private static StoredAxes? AxesAfter(Value stored, IReadOnlyList<StoredStep> steps, int count)
    {
        var axes = StoredAxes.Of(stored.StoredTensor()!.Dims);
        for (var i = 0; i < count && axes is not null; i++)
        {
            axes = steps[i].Effect switch
            {
                ViewEffect.Axes => axes.Transpose(steps[i].Node.Ints("perm")),
                ViewEffect.Shape => ShapeAfter(steps[i].Node, axes.Dims) is { } dims ? axes.Reshape(dims) : null,
                _ => axes,
            };
        }
        return axes;
    }

    private static long[]? ShapeAfter(Node node, long[] dims)
    {
        var given = node.Ints("axes") ?? Longs(node.Input(1));
        if (node.Input(1) is not null && given is null) return null;
        var count = dims.Length;
        switch (node.Op)
        {
            case "Squeeze":
                var removed = given?.Select(axis => axis.FromFront(count)).ToArray();
                return [.. dims.Where((dim, axis) => removed is null ? dim != 1 : !removed.Contains(axis))];
            case "Unsqueeze" when given is not null:
                var rank = count + given.Length;
                var added = given.Select(axis => axis.FromFront(rank)).Order().ToArray();
                if (added.Any(axis => axis < 0 || axis >= rank)) return null;
                var all = dims.ToList();
                foreach (var axis in added) all.Insert((int)axis, 1);
                return [.. all];
            case "Flatten":
                var at = (int)node.Int("axis", 1).Bounded(count);
                return [dims[..at].Size(), dims[at..].Size()];
            default:
                return given is null ? null : Completed(given, dims, node.Int("allowzero", 0) == 1);
        }
    }

    private static long[]? Longs(Value? value) =>
        Of(value)?.Tensor is { Type: ElementType.Int64 or ElementType.Int32 } tensor ? tensor.ToLongs() : null;

    // 0 stands for the size that is there, −1 for what remains.
    private static long[] Completed(long[] target, long[] dims, bool allowsZero)
    {
        var shape = target.Select((dim, axis) => dim == 0 && !allowsZero && axis < dims.Length ? dims[axis] : dim).ToArray();
        var rest = Array.IndexOf(shape, -1);
        if (rest >= 0) shape[rest] = dims.Size() / Math.Max(1, -shape.Size());
        return shape;
    }
}

/// <summary>An operator that shows a stored tensor in another way.</summary>
/// <param name="Node">The operator.</param>
/// <param name="Input">Which of its inputs is the tensor; the others say how.</param>
/// <param name="Effect">What it does.</param>
internal sealed record StoredStep(Node Node, int Input, ViewEffect Effect);
