using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>Training graphs as ONNX Runtime Training takes them: it owns the trained tensors and the sums of their gradients, and knows
/// its inputs by name.</summary>
/// <remarks>One list of trained tensors, in one order, makes the inputs of both graphs, the buffers and the checkpoint: the runtime feeds
/// the evaluation graph by position. The frozen weights stay constants of the graphs and are in no checkpoint.</remarks>
internal sealed class OrtTrainingGraphs
{
    private OrtTrainingGraphs(TrainingGraphs graphs, OrtTrainingForm form)
    {
        Trained = [.. graphs.Trained.Select(tensor => new OrtTrainedTensor(tensor, graphs.Options.Group(tensor)))];
        Train = Model(graphs.Train, graphs, form);
        if (form.GivesGradients) foreach (var tensor in Trained) Train.Graph.AddOutput(Train.Graph.Find(tensor.Source.Gradient)!);
        Accumulate(Train.Graph);
        Finish(Train.Graph);
        Eval = Model(graphs.Eval, graphs, form);
        Finish(Eval.Graph);
        Optimizer = OrtOptimizer.Build(graphs.Options, Decay(graphs.Options), form.Rates);
        Checkpoint = new OrtCheckpoint
        {
            Trained = [.. Trained.Select(tensor => new OrtParameter(tensor.Parameter, tensor.ToHost(tensor.Source.Initial)))],
            Properties = new()
            {
                Texts = Notes(graphs),
                Floats = Trained.Where(tensor => tensor.Factor != 1)
                    .ToDictionary(tensor => OrtTrainedTensor.FactorNote(tensor.Parameter), tensor => tensor.Factor, StringComparer.Ordinal),
            },
        };
    }

    /// <summary>Batch, trained tensors and buffers in; loss and scores out, gradients added to the buffers.</summary>
    public OnnxModel Train { get; }

    /// <summary>Batch and trained tensors in; loss and scores out.</summary>
    public OnnxModel Eval { get; }

    /// <summary>Moves the trained tensors.</summary>
    public OnnxModel Optimizer { get; }

    /// <summary>The trained tensors before the first step.</summary>
    public OrtCheckpoint Checkpoint { get; }

    /// <summary>The trained tensors, in the order of the graphs' inputs.</summary>
    public IReadOnlyList<OrtTrainedTensor> Trained { get; }

    /// <summary>Writes the graphs in this form.</summary>
    /// <param name="graphs">The graphs; they are not changed.</param>
    /// <param name="form">What the host does and does not do.</param>
    /// <exception cref="LortaException">LRT570 … LRT574: something has no place in this runtime.</exception>
    public static OrtTrainingGraphs Of(TrainingGraphs graphs, OrtTrainingForm form)
    {
        Refuse(graphs, form);
        return new OrtTrainingGraphs(graphs, form);
    }

    /// <summary>The inputs of a graph that a host feeds for each batch, in order.</summary>
    public IEnumerable<Value> BatchInputs(OnnxModel model) =>
        model.Graph.Inputs.TakeWhile(input => input.Name != Trained[0].Parameter);

    private static void Refuse(TrainingGraphs graphs, OrtTrainingForm form)
    {
        ArtifactErrors.RefuseAfterStep(graphs);
        if (graphs.Plan.Options.Dropout is > 0 and var dropout && !form.MakesMasks) throw OrtTrainingErrors.Dropout(dropout);
        foreach (var input in graphs.Train.Graph.Inputs)
            if (OrtNames.ReservedEndingOf(input.Name) is { } ending) throw OrtTrainingErrors.ReservedName("input", input.Name, ending);
        foreach (var output in graphs.Eval.Graph.Outputs)
            if (OrtNames.ReservedEndingOf(output.Name) is { } ending) throw OrtTrainingErrors.ReservedName("output", output.Name, ending);
    }

    private OnnxModel Model(OnnxModel portable, TrainingGraphs graphs, OrtTrainingForm form)
    {
        var model = portable.Clone();
        var (graph, tape) = (model.Graph, new Tape(model.Graph));
        model.OpsetVersions[OrtOps.Domain] = 1;
        foreach (var value in graph.Values.Where(value => !value.IsInput)) value.Declaration = default;
        Fix(graph, graphs.Frozen);
        if (!form.FeedsWeights && graph.Find(TrainingNames.Weight) is { } weight)
            Fix(graph, weight, OnnxTensor.Scalar(1f / form.GradientAccumulation));
        graph.ClearOutputs();
        graph.AddOutput(graph.Find(TrainingNames.Loss)!);
        if (graphs.Logits is { } name) graph.AddOutput(graph.Find(name)!);   // before the operator that makes it may be replaced
        EmptyPast.Remove(tape);
        OlderOperators.Replace(tape);
        if (graph.Outputs is [_, var scores])
        {
            graph.RemoveOutput(scores);
            GraphOutputs.AddMeasured(tape, scores);
        }
        foreach (var tensor in Trained) tensor.MoveToEnd(tape);
        return model;
    }

    // What is the same in every step is no input here.
    private static void Fix(Graph graph, IReadOnlyDictionary<string, OnnxTensor> frozen)
    {
        if (graph.Find(TrainingNames.Scale) is { Constant: { } scale } input) Fix(graph, input, scale);
        foreach (var (name, tensor) in frozen) if (graph.Find(name) is { } factor) Fix(graph, factor, tensor);
    }

    private static void Fix(Graph graph, Value input, OnnxTensor value)
    {
        input.Constant = value;
        graph.RemoveInput(input);
    }

    private void Accumulate(Graph graph)
    {
        var buffers = Trained.Select(tensor =>
            graph.AddInput(OrtNames.BufferOf(tensor.Parameter), ElementType.Float, Shape.Of(tensor.Source.Initial))).ToList();
        var reset = graph.AddInput(OrtNames.ResetGradients, ElementType.Bool, [1]);
        foreach (var (tensor, buffer) in Trained.Zip(buffers))
        {
            var done = graph.AddValue(OrtNames.DoneOf(tensor.Parameter), ElementType.Bool, [1]);
            graph.Add(new Node("InPlaceAccumulatorV2", OrtOps.Domain, [buffer, graph.Find(tensor.Source.Gradient)!, reset], [done])
            {
                Name = $"{tensor.Parameter}/accumulate",
            });
            graph.AddOutput(done);
        }
    }

    // Trained tensors that a graph does not read are inputs all the same.
    private static void Finish(Graph graph)
    {
        graph.RemoveUnused();
        graph.Sort();
    }

    // p shrinks by rate·λ·p in each step; the host's rate is that of a tensor over its factor.
    private double Decay(OptimizerOptions options)
    {
        var decays = Trained.Select(tensor => (float)(tensor.Group.LearningRateFactor * tensor.Group.WeightDecay)).ToList();
        if (decays.Exists(decay => decay != 0) && !OrtOptimizer.HasDecay(options)) throw OrtTrainingErrors.NoDecay(options.Name);
        var other = decays.FindIndex(decay => decay != decays[0]);
        return other < 0 ? decays[0] : throw OrtTrainingErrors.SeveralDecays(Trained[0].Source, Trained[other].Source);
    }

    private static Dictionary<string, string> Notes(TrainingGraphs graphs) => new(StringComparer.Ordinal)
    {
        ["method"] = graphs.Plan.Options.Method,
        ["model"] = graphs.Base.Name,
        ["task"] = graphs.Task,
        ["tool"] = graphs.InitialAdapter.Config.Tool,
    };
}

/// <summary>What a host of ONNX Runtime Training does, by which the graphs for it differ.</summary>
internal sealed record OrtTrainingForm
{
    /// <summary>Whether it feeds a batch's share of the step's loss, as the last input; else each batch has the same.</summary>
    public bool FeedsWeights { get; init; }

    /// <summary>Batches of a step, where it does not feed their shares.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>Whether it feeds masks of dropout.</summary>
    public bool MakesMasks { get; init; }

    /// <summary>Whether gradients are outputs besides, behind the scores.</summary>
    public bool GivesGradients { get; init; }

    /// <summary>Learning rate of each step, where it cannot set one.</summary>
    public IReadOnlyList<double>? Rates { get; init; }

    /// <summary>A host that knows nothing of this project.</summary>
    /// <param name="schedule">The steps of its run; null = it decides.</param>
    public static OrtTrainingForm Foreign(StepSchedule? schedule = null) =>
        new() { Rates = schedule?.LearningRates, GradientAccumulation = schedule?.GradientAccumulation ?? 1 };
}

/// <summary>A trained tensor as the runtime holds it: over its group's learning rate factor, so that one rate moves all of them.</summary>
/// <remarks>The graphs read s·p′, and ∂loss/∂p is what is added up, not s·∂loss/∂p: moments, joint norm and clipping are those of
/// p.</remarks>
/// <param name="Source">The tensor.</param>
/// <param name="Group">Settings of its group; s is the factor of its learning rate.</param>
internal sealed record OrtTrainedTensor(TrainedTensor Source, OptimizedTensor Group)
{
    /// <summary>Its name in graphs and checkpoints of the runtime.</summary>
    public string Parameter => Source.Input;

    /// <summary>s.</summary>
    public float Factor => (float)Group.LearningRateFactor;

    /// <summary>The note of a checkpoint that holds s of a parameter, where it is not 1.</summary>
    public static string FactorNote(string parameter) => $"{parameter}.factor";

    /// <summary>p′ = p/s.</summary>
    public OnnxTensor ToHost(OnnxTensor value) => Scaled(value, 1 / Factor);

    /// <summary>p = s·p′.</summary>
    public OnnxTensor FromHost(OnnxTensor value) => Scaled(value, Factor);

    /// <summary>A tensor times a number; itself where that is 1.</summary>
    public static OnnxTensor Scaled(OnnxTensor value, float factor) =>
        factor == 1 ? value : OnnxTensor.Of<float>([.. value.Dims], Array.ConvertAll(value.ToFloats(), number => number * factor));

    /// <summary>Makes it the last input of a graph, whether that reads it or not.</summary>
    public void MoveToEnd(Tape tape)
    {
        var graph = tape.Graph;
        var readers = new HashSet<Use>();
        if (graph.Find(Parameter) is { } before)
        {
            readers = [.. before.Uses];
            graph.RemoveInput(before);
            graph.MakeInput(before);
        }
        else graph.AddInput(Parameter, ElementType.Float, Shape.Of(Source.Initial));
        if (Factor == 1 || readers.Count == 0) return;
        var input = tape[graph.Find(Parameter)!];
        graph.Splice(input.Value, readers, (input * Factor).Value);
    }
}
