using System.Text.Json;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

/// <summary>AdaLoRA's allocator against traces from the paper's formulas: <c>tests/fixtures/adalora-allocator.py</c>, and those among the goldens.</summary>
internal sealed class RankAllocatorTests
{
    private static readonly string[] OwnTraces = Directory.GetFiles(Path.Combine(Fixtures.Repository, "tests", "fixtures"), "adalora-allocator*.json");

    private static readonly AdapterSite[] Sites = [Site(0, "q"), Site(0, "v")];

    private static IEnumerable<string> Traces =>
        OwnTraces.Concat(Fixtures.Files("goldens", "adalora-allocator*.json").Select(name => Fixtures.Path("goldens", name)));

    private static IEnumerable<(string Option, string Value, string Says)> Contradictions =>
    [
        ("target", "4", "adapter.options.target: must be < the rank (4) that a matrix starts with, was 4"),
        ("tinit", "5", "adapter.options.target: must be given where tinit is"),
        ("beta1", "0.5", "adapter.options.target: must be given where beta1 is"),
    ];

    [Test]
    public void It_equals_the_trace_step_by_step([ValueSource(nameof(Traces))] string path)
    {
        var facts = Read(path);
        var steps = facts.GetProperty("steps").EnumerateArray().ToList();
        var (allocator, schedule, sites) = Traced(facts, steps[0].GetProperty("w"));
        var state = allocator.InitialState;

        foreach (var (index, step) in steps.Index())
        {
            var (t, w) = (index + 1, Tensors(step.GetProperty("w"), sites));
            var change = allocator.Apply(new FinishedStep { Step = t, Factors = w, Gradients = Tensors(step.GetProperty("g"), sites), State = state });
            state = change.State;

            Assert.That(schedule.At(t), Is.EqualTo(step.GetProperty("budget").GetInt64()), $"budget after step {t}");
            foreach (var (name, expected) in Numbers(step.GetProperty("I"))) AssertNear(state[$"sensitivity.{name}"], expected, $"I of {name} after step {t}");
            foreach (var (name, expected) in Numbers(step.GetProperty("U"))) AssertNear(state[$"uncertainty.{name}"], expected, $"U of {name} after step {t}");
            if (step.GetProperty("mask") is { ValueKind: JsonValueKind.Object } mask)
                foreach (var (name, expected) in Numbers(mask)) Assert.That(state[$"mask.{SiteOf(name)}"].ToFloats(), Is.EqualTo(expected), $"mask of {name} after step {t}");
            foreach (var (name, expected) in Numbers(step.GetProperty("E")))
            {
                var factor = $"{SiteOf(name)}.E";
                Assert.That((change.Factors.GetValueOrDefault(factor) ?? w[factor]).ToFloats(), Is.EqualTo(expected), $"{factor} after step {t}");
            }
        }
    }

    [Test]
    public void In_a_trace_a_masked_triplet_comes_back()
    {
        var courses = OwnTraces.Select(path => Read(path).GetProperty("steps").EnumerateArray()
            .Select(step => step.GetProperty("mask")).Where(mask => mask.ValueKind == JsonValueKind.Object)
            .Select(mask => Numbers(mask).SelectMany(pair => pair.Value).ToArray()).ToList());

        Assert.That(courses.Any(masks => masks.Zip(masks.Skip(1)).Any(pair => pair.First.Zip(pair.Second).Contains((0, 1)))), Is.True);
    }

    [TestCaseSource(nameof(Contradictions))]
    public void Options_that_contradict_each_other_are_refused((string Option, string Value, string Says) given)
    {
        var options = Options(4, (given.Option, given.Value));

        Assert.That(() => LortaCatalog.Default.Create(options), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT319").And.Message.EqualTo($"{given.Says}."));
    }

    [TestCase("beta1", "0", "must be a number > 0 and < 1")]
    [TestCase("beta2", "1", "must be a number > 0 and < 1")]
    [TestCase("tinit", "-1", "must be an integer >= 0")]
    [TestCase("deltaT", "0", "must be an integer >= 1")]
    public void Values_out_of_range_are_refused(string option, string value, string says) =>
        Assert.That(() => LortaCatalog.Default.Create(Options(4, ("target", "2"), (option, value))), Throws.TypeOf<LortaException>().With.Property("Hint").EqualTo($"It {says}."));

    [TestCase("60", "40", 100, "adapter.options.tfinal: tinit + tfinal must be < the 100 steps of the run, was 60 + 40.")]
    [TestCase("0", "100", 100, "adapter.options.tfinal: tinit + tfinal must be < the 100 steps of the run, was 0 + 100.")]
    public void A_run_too_short_to_allocate_in_is_refused(string start, string settling, long steps, string says)
    {
        var family = LortaCatalog.Default.Create(Options(4, ("target", "2"), ("tinit", start), ("tfinal", settling)));

        Assert.That(() => family.AfterStep(Sized(Sites), steps), Throws.TypeOf<LortaException>().With.Message.EqualTo(says));
    }

    [Test]
    public void Sites_of_smaller_ranks_that_leave_nothing_to_allocate_are_refused()
    {
        var family = LortaCatalog.Default.Create(Options(4, ("target", "3")));
        AdapterSite[] small = [.. Sites.Select(site => site with { Rank = site.Matrix == "q" ? 4 : 2 })];

        Assert.That(() => family.AfterStep(Sized(small), 10), Throws.TypeOf<LortaException>()
            .With.Message.EqualTo("adapter.options.target: must be < the mean rank of the sites (3), was 3."));
    }

    [Test]
    public void Without_a_target_nothing_is_allocated() =>
        Assert.That(LortaCatalog.Default.Create(Options(4)).AfterStep(Sized(Sites), 10), Is.Null);

    [Test]
    public void Only_from_the_last_mask_on_the_ranks_are_final() =>
        Assert.That(LortaCatalog.Default.Create(Options(4, ("target", "2"), ("tfinal", "3"))).AfterStep(Sized(Sites), 10)!.FirstFinalStep, Is.EqualTo(7));

    [Test]
    public void Triplets_that_tie_are_masked_together()
    {
        var allocator = Allocator(Options(4, ("target", "2")), steps: 1);
        var ones = Sites.SelectMany(site => new[] { ("A", site.In * site.Rank), ("E", site.Rank), ("B", site.Out * site.Rank) }
            .Select(part => ($"{site.Key}.{part.Item1}", part.Item2))).ToDictionary(item => item.Item1, item => OnnxTensor.Vector<float>(Enumerable.Repeat(1f, item.Item2).ToArray()));

        var change = allocator.Apply(new FinishedStep { Step = 1, Factors = ones, Gradients = ones, State = allocator.InitialState });

        Assert.That(change.Factors.Values.SelectMany(e => e.ToFloats()), Is.All.Zero);
    }

    private static JsonElement Read(string path) => JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(path));

    private static AdapterSite Site(int layer, string matrix) => new(layer, matrix) { In = 3, Out = 5, Rank = 4, Heads = 1 };

    private static AdapterOptions Options(int rank, params (string Name, string Value)[] options) =>
        new() { Method = "adalora", Rank = rank, Options = options.ToDictionary(option => option.Name, option => option.Value) };

    private static IAfterStep Allocator(AdapterOptions options, long steps) => LortaCatalog.Default.Create(options).AfterStep(Sized(Sites), steps)!;

    private static AdapterSites Sized(IReadOnlyList<AdapterSite> sites) =>
        new() { Width = 3, Heads = 1, KvHeads = 1, HeadWidth = 3, Layers = [0], Targets = ["q", "v"], All = sites };

    // Sites are those that the trace names; r is its initial rank.
    private static (RankAllocator Allocator, RankSchedule Schedule, AdapterSite[] Sites) Traced(JsonElement facts, JsonElement w)
    {
        var rank = facts.GetProperty("initialRank").GetInt32();
        var counts = Numbers(w).ToDictionary(pair => pair.Name, pair => pair.Value.Length);
        AdapterSite[] sites = [.. counts.Keys.Where(name => name.EndsWith(".E", StringComparison.Ordinal)).Select(name => name.Split('.'))
            .Select(name => new AdapterSite(int.Parse(name[1], System.Globalization.CultureInfo.InvariantCulture), name[2]) { In = 0, Out = 0, Rank = rank, Heads = 1 })
            .Select(site => site with { In = counts[$"{site.Key}.A"] / rank, Out = counts[$"{site.Key}.B"] / rank })];
        var options = Options(rank, [.. new[] { "target", "tinit", "tfinal", "deltaT", "beta1", "beta2" }.Select(name => (name, facts.GetProperty(name).GetRawText()))]);
        var schedule = RankAllocation.Of(options)!.Over(sites, facts.GetProperty("T").GetInt64());
        return (new RankAllocator(sites, schedule), schedule, sites);
    }

    private static Dictionary<string, OnnxTensor> Tensors(JsonElement numbers, AdapterSite[] sites)
    {
        var ranks = sites.ToDictionary(site => site.Key, site => site.Rank);
        return Numbers(numbers).ToDictionary(pair => pair.Name, pair => pair.Name.EndsWith(".E", StringComparison.Ordinal)
            ? OnnxTensor.Vector(pair.Value)
            : OnnxTensor.Of<float>([pair.Value.Length / ranks[pair.Name[..^2]], ranks[pair.Name[..^2]]], pair.Value));
    }

    // Of a trace's mask or E: by the site or by its factor E.
    private static string SiteOf(string name) => name.EndsWith(".E", StringComparison.Ordinal) ? name[..^2] : name;

    // Row by row, whether the trace nests them or not.
    private static IEnumerable<(string Name, float[] Value)> Numbers(JsonElement tensors) =>
        tensors.EnumerateObject().Select(tensor => (tensor.Name, Flat(tensor.Value).ToArray()));

    private static IEnumerable<float> Flat(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Flat),
        JsonValueKind.True => [1],
        JsonValueKind.False => [0],
        _ => [element.GetSingle()],
    };

    private static void AssertNear(OnnxTensor found, float[] expected, string message) =>
        Assert.That(found.ToFloats(), Is.EqualTo(expected).Within(1e-6 * expected.Max(Math.Abs)), message);
}
