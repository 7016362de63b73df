using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Training graphs whose small trained tensors of one shape and one group lie in one tensor, one behind the other along the
/// first axis.</summary>
/// <remarks>LoRA on 30 layers has 240 tensors. On a card each costs a copy there, a copy of its gradient back and some 15 operators of the
/// optimizer, all of them too small to keep it busy: a tenth of a step. Losses and gradients are equal within rounding. Large tensors, such
/// as matrices of the model itself, gain nothing and stay as they are: a stack of them would be held twice.</remarks>
internal sealed class StackedTensors
{
    private const long LargestStack = 64 << 20;   // bytes; LoRA of rank 64 on 32 layers of width 4096 has 32 MB of each shape

    private readonly IReadOnlyList<Stack> _stacks;
    private readonly IReadOnlyList<TrainedTensor> _single;

    /// <summary>Stacks the trained tensors of some graphs.</summary>
    public StackedTensors(TrainingGraphs graphs)
    {
        var groups = graphs.Trained.GroupBy(tensor => $"{tensor.Initial} {tensor.Group}", StringComparer.Ordinal)
            .ToLookup(IsStacked, group => group.ToArray());
        _stacks = [.. groups[true].Select((parts, index) => new Stack($"stack.{index}", parts))];
        _single = [.. groups[false].SelectMany(parts => parts)];
        TrainedTensor[] trained = [.. _stacks.Select(stack => stack.Whole), .. _single];
        Graphs = graphs with
        {
            Train = Stacked(graphs.Train, gradients: true),
            Eval = Stacked(graphs.Eval, gradients: false),
            Optimizer = graphs.Options.Build(trained),
            Trained = trained,
        };
    }

    /// <summary>The graphs over the stacks.</summary>
    public TrainingGraphs Graphs { get; }

    /// <summary>The stacks of tensors, each with its name.</summary>
    /// <param name="tensorOf">A tensor by the name of the trained tensor that it belongs to.</param>
    public IEnumerable<(string Name, OnnxTensor Tensor)> Join(Func<string, OnnxTensor> tensorOf) =>
        [.. _stacks.Select(stack => (stack.Whole.Name, stack.Join(part => tensorOf(part.Name)))),
            .. _single.Select(tensor => (tensor.Name, tensorOf(tensor.Name)))];

    /// <summary>The tensors that lie in stacks, each with its name.</summary>
    /// <param name="stackOf">A tensor by the name of the stack that it belongs to.</param>
    public IEnumerable<(string Name, OnnxTensor Tensor)> Split(Func<string, OnnxTensor> stackOf) =>
        [.. _stacks.SelectMany(stack => stack.Split(stackOf(stack.Whole.Name))),
            .. _single.Select(tensor => (tensor.Name, stackOf(tensor.Name)))];

    private static bool IsStacked(IGrouping<string, TrainedTensor> group) =>
        group.Count() > 1 && group.First().Initial.Rank > 0 && group.Sum(tensor => tensor.Initial.ByteCount) <= LargestStack;

    private OnnxModel Stacked(OnnxModel model, bool gradients)
    {
        var copy = model.Clone();
        var tape = new Tape(copy.Graph);
        foreach (var stack in _stacks) stack.ReadBy(tape);
        if (gradients)
        {
            JoinedProducts.In(copy.Graph);
            foreach (var stack in _stacks) stack.JoinGradients(tape);
        }
        copy.Graph.IsDeclared = model.Graph.IsDeclared;
        copy.Graph.Sort();
        return copy;
    }

    private sealed class Stack(string name, IReadOnlyList<TrainedTensor> parts)
    {
        private readonly long[] _dims = [.. parts[0].Initial.Dims];

        public TrainedTensor Whole { get; } = new(
            new TensorName(TensorKind.Factor, name), Joined(parts, part => part.Initial), parts[0].Group);

        public OnnxTensor Join(Func<TrainedTensor, OnnxTensor> tensorOf) => Joined(parts, tensorOf);

        public IEnumerable<(string Name, OnnxTensor Tensor)> Split(OnnxTensor whole)
        {
            var size = whole.ByteCount / parts.Count;
            return parts.Select((part, i) => (part.Name,
                OnnxTensor.FromBytes(whole.Type, _dims, whole.Bytes.Slice((int)(i * size), (int)size).ToArray())));
        }

        // Parts of equal size: ONNX Runtime splits and joins them in one kernel.
        public void ReadBy(Tape tape)
        {
            var inputs = parts.Select(part => tape.Graph.Find(part.Input)).ToArray();
            if (inputs.All(input => input is null)) return;   // an evaluation need not read what is trained
            using var scope = tape.Scope(Whole.Name);
            var whole = tape[tape.Graph.AddInput(Whole.Input, Whole.Initial.Type, Shape.Of(Whole.Initial))];
            var sizes = tape.Longs([.. parts.Select(_ => _dims[0])]);
            var read = tape.Write("Split", [whole, sizes], parts.Count, ("axis", 0)).Outputs;
            foreach (var (input, part) in inputs.Zip(read))
            {
                if (input is null) continue;
                tape.Graph.ReplaceUses(input, part!);
                tape.Graph.RemoveInput(input);
            }
        }

        public void JoinGradients(Tape tape)
        {
            var gradients = parts.Select(part => tape.Graph.Find(part.Gradient)!).ToArray();
            foreach (var gradient in gradients) tape.Graph.RemoveOutput(gradient);
            using var scope = tape.Scope(Whole.Name);
            GraphOutputs.Add(Expr.Concat(0, [.. gradients.Select(gradient => tape[gradient])]), Whole.Gradient);
        }

        private static OnnxTensor Joined(IReadOnlyList<TrainedTensor> parts, Func<TrainedTensor, OnnxTensor> tensorOf)
        {
            var tensors = parts.Select(tensorOf).ToArray();
            long[] dims = [tensors.Length * tensors[0].Dims[0], .. tensors[0].Dims.Skip(1)];
            return OnnxTensor.FromBytes(tensors[0].Type, dims, tensors.SelectMany(tensor => tensor.Bytes.ToArray()).ToArray());
        }
    }
}
