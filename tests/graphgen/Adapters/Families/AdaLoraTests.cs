using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

internal sealed class AdaLoraTests
{
    private const int Rank = 3;

    private static readonly AdapterOptions Options = new() { Method = "adalora", Rank = Rank, Alpha = 2, Targets = ["q", "v"] };
    private static readonly AdapterPlan Plan = PlanOf(Options);

    [Test]
    public void Scale_divides_by_the_rank_and_a_little() => Assert.That(Plan.Family.Scale, Is.EqualTo(2 / 3.00001));

    [Test]
    public void Penalty_is_the_mean_distance_of_A_and_B_from_orthonormal_columns()
    {
        var factors = RandomTensor.Factors(Plan);

        var (penalty, _) = Penalty(Plan, factors);

        var distances = factors.Where(factor => !factor.Key.EndsWith(".E", StringComparison.Ordinal)).Select(factor => Distance(factor.Value.ToFloats()));
        Assert.That(penalty, Is.EqualTo(0.5 * distances.Average()).Within(1e-4).Percent);
    }

    [Test]
    public void Penalty_of_orthonormal_columns_is_zero_and_so_is_its_gradient()
    {
        var factors = Plan.Factors.ToDictionary(factor => factor.Name, factor => OnnxTensor.Of<float>([.. factor.Dims], Orthonormal((int)factor.Count)));

        var (penalty, gradients) = Penalty(Plan, factors);

        Assert.That(penalty, Is.EqualTo(0).Within(1e-12));
        Assert.That(gradients.SelectMany(gradient => gradient), Is.All.Zero);
    }

    [Test]
    public void Without_its_weight_there_is_no_penalty()
    {
        var plan = PlanOf(Options with { Options = new Dictionary<string, string> { ["orthogonality"] = "0" } });
        var (_, tape) = Ort.New();

        Assert.That(plan.Family.Penalty(plan.Sites, AdapterInjection.AddInputs(tape, plan)), Is.Null);
    }

    private static AdapterPlan PlanOf(AdapterOptions options) => AdapterPlan.Of(new Architecture(Hidden: 8, Heads: 4, KvHeads: 2, HeadWidth: 2, Layers: 2), options);

    // The penalty, and its gradients with respect to A and B of all sites.
    private static (float Value, IReadOnlyList<float[]> Gradients) Penalty(AdapterPlan plan, IReadOnlyDictionary<string, OnnxTensor> factors)
    {
        var (model, tape) = Ort.New();
        var penalty = plan.Family.Penalty(plan.Sites, AdapterInjection.AddInputs(tape, plan))!.Value;
        var followed = plan.Factors.Where(factor => !factor.EndsWith("E")).Select(factor => model.Graph.Find($"factor.{factor.Name}")!);
        var gradients = Gradients.Of(tape, penalty.Value, [.. followed], LortaCatalog.Default);
        foreach (var output in gradients.Prepend(penalty)) model.Graph.AddOutput(output.Value);
        model.Graph.RemoveUnused();
        model.Graph.Sort();
        var inputs = factors.ToDictionary(pair => $"factor.{pair.Key}", pair => pair.Value);
        var outputs = ((IGraphEvaluator)FamilyCase.Evaluator).Run(model, inputs);
        return (outputs[penalty.Value.Name].ToFloats()[0], [.. gradients.Select(gradient => outputs[gradient.Value.Name].ToFloats())]);
    }

    // ‖FᵀF − I‖ of the rows of F.
    private static double Distance(float[] factor)
    {
        var sum = 0.0;
        for (var j = 0; j < Rank; j++)
            for (var k = 0; k < Rank; k++)
            {
                var product = Enumerable.Range(0, factor.Length / Rank).Sum(row => (double)factor[(row * Rank) + j] * factor[(row * Rank) + k]);
                sum += Math.Pow(product - (j == k ? 1 : 0), 2);
            }
        return Math.Sqrt(sum);
    }

    // The first rows of the identity, then zeros.
    private static float[] Orthonormal(int count) => [.. Enumerable.Range(0, count).Select(i => i / Rank == i % Rank ? 1f : 0)];
}
