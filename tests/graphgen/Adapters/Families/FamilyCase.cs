using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Testing;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>A family with options of its own on a small architecture.</summary>
/// <param name="Name">For the test's name.</param>
/// <param name="Plan">The adapter.</param>
public sealed record FamilyCase(string Name, AdapterPlan Plan)
{
    internal static OrtEngine Evaluator { get; } = new(new OrtEngineOptions { Threads = 1 });

    /// <summary>Every family that adapts places of a model, and the forms of one that its options make another.</summary>
    internal static IEnumerable<(string Name, AdapterOptions Options)> Forms =>
        from form in (IEnumerable<(string Method, string? Option)>)[.. AdapterFamilies.All.Select(family => (family.Method, (string?)null)), ("nola", "a0")]
        where !LortaCatalog.Default.TargetsOf(form.Method)!.AreParameters   // ParameterFamiliesTests
        let options = new AdapterOptions { Method = form.Method, Rank = 3, Alpha = 2, Targets = TargetsOf(form.Method) }
        select form.Option is null
            ? (form.Method, options)
            : ($"{form.Method} with {form.Option}", options with { Options = new Dictionary<string, string> { [form.Option] = "true" } });

    /// <summary>Each of them on every architecture.</summary>
    public static IEnumerable<FamilyCase> All =>
        from form in Forms
        from architecture in SampleSizes.Named
        select new FamilyCase($"{form.Name}, {architecture.Name}", AdapterPlan.Of(architecture.Sizes, form.Options));

    /// <summary>Factors none of which is zero.</summary>
    internal IReadOnlyDictionary<string, OnnxTensor> Factors => Plan.Factors.ToDictionary(factor => factor.Name, factor => RandomTensor.Normal(factor.Name, [.. factor.Dims]), StringComparer.Ordinal);

    internal IReadOnlyDictionary<string, OnnxTensor> Drawn => Plan.Factors.ToDictionary(factor => factor.Name, factor => factor.Draw(0, SampleLayers.WeightOf), StringComparer.Ordinal);

    public override string ToString() => Name;

    // Of the families that take any matrix, those of attention in an order of their own.
    private static string[]? TargetsOf(string method) =>
        LortaCatalog.Default.TargetsOf(method) == FamilyTargets.LinearLayers ? ["v", "q", "p", "k"] : null;
}
