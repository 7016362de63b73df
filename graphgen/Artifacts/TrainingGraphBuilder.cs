using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Turns a deployed model into the graphs that train an adapter on it.</summary>
internal static class TrainingGraphBuilder
{
    /// <summary>Builds the training, evaluation and optimizer graphs in the training copy of a model that nobody needs
    /// otherwise.</summary>
    public static TrainingGraphs Build(UnderstoodModel model, TrainingOptions options, LortaCatalog catalog)
    {
        options.Optimizer.Validate();
        var objective = catalog.LossOf(options.Task);
        var parameters = ParameterCount.Of(model.Canonical);
        var adapted = AdaptedModel.Of(model, options.Adapter, catalog, new(options.Trainables, options.Names));
        var graph = adapted.Canonical.Model.Graph;
        var tape = adapted.Tape;
        var batches = BatchRuns.Of(adapted.Canonical, objective);
        var (loss, logits) = EvaluationGraph.Write(objective, adapted, options);
        GraphOutputs.Keep(loss, logits?.Value);
        var eval = adapted.Canonical.Model.Clone();
        RemoveDropout(eval.Graph);
        GraphOutputs.Finish(eval.Graph);

        loss = WithPenalty(loss, adapted);
        var trained = adapted.Trained(options.Values, options.Seed);
        var weight = tape[graph.AddInput(TrainingNames.Weight, ElementType.Float, [])];
        var gradients = Gradients.Of(tape, (loss * weight).Value, [.. trained.Select(tensor => graph.Find(tensor.Input)!)], catalog);
        GraphOutputs.Keep(loss, null);
        foreach (var (tensor, gradient) in trained.Zip(gradients))
        {
            // Several tensors may have one gradient: the biases behind attention and MLP where both join the stream in one place.
            using var scope = tape.Scope(tensor.Gradient);
            GraphOutputs.Add(
                gradient.Value.Producer is null || graph.IsOutput(gradient.Value)
                    ? tape[tape.WriteOwn("Identity", [gradient], 1).Output]
                    : gradient,
                tensor.Gradient);
        }
        GraphOutputs.Finish(graph);
        return new TrainingGraphs
        {
            Train = adapted.Canonical.Model,
            Eval = eval,
            Optimizer = options.Optimizer.Build(trained),
            OptimizerState = options.Optimizer.Rule.State,
            Options = options.Optimizer,
            Task = options.Task,
            Labels = options.Labels,
            Trained = trained,
            Frozen = adapted.Frozen(options.Values, options.Seed),
            Seed = options.Seed,
            Plan = adapted.Plan,
            BaseParameters = parameters,
            Base = BaseModels.Describe(adapted.Base, adapted.Plan),
            Logits = logits?.Value.Name,
            Batches = batches,
            Findings = [.. adapted.Base.Map.Findings, .. FamilyParameter.LeftOut(adapted.Base.Deployed, adapted.Plan)],
        };
    }

    // What is learned, not what is measured: the weights of a step's micro-batches add up to one.
    private static Expr WithPenalty(Expr loss, AdaptedModel adapted)
    {
        using var scope = adapted.Tape.Scope("penalty");
        return adapted.Plan.Family.Penalty(adapted.Plan.Sites, adapted.Factors) is { } penalty ? loss + penalty : loss;
    }

    // What is measured leaves nothing out: x stands where x∘mask was.
    private static void RemoveDropout(Graph graph)
    {
        foreach (var mask in graph.Inputs.Where(input => TensorName.Parse(input.Name).Kind == TensorKind.Dropout).ToList())
            foreach (var (product, _) in mask.Uses.ToList()) graph.ReplaceUses(product.Output, product.Input(0)!);
    }
}
