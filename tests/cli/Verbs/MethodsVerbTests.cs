using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

internal sealed class MethodsVerbTests
{
    [TestCase("lorta", 4, ExpectedResult = 17160)]
    [TestCase("lora", 4, ExpectedResult = 2097152)]
    [TestCase("lorta", 64, ExpectedResult = 274560)]
    [TestCase("lora", 64, ExpectedResult = 33554432)]
    [TestCase("lotr", 4, ExpectedResult = 33792)]
    [TestCase("lotr", 64, ExpectedResult = 786432)]
    [TestCase("fact_tt", 4, ExpectedResult = 33792)]
    [TestCase("fact_tt", 64, ExpectedResult = 786432)]
    [TestCase("fact_tk", 4, ExpectedResult = 33088)]
    [TestCase("fact_tk", 64, ExpectedResult = 790528)]
    public long Counts_of_a_large_model_are_those_of_the_paper(string method, int rank) =>
        Count(method, "--width", "4096", "--heads", "32", "--layers", "32", "--targets", "q,v", "--rank", $"{rank}");

    [TestCase("lorta", ExpectedResult = 4 * (128 + 32 + 4 + 4 + 2))]
    [TestCase("lora", ExpectedResult = 4 * 4 * (128 + 128 + 128 + 64))]
    public long Counts_of_a_file_know_its_grouped_queries(string method) => Count(method, Exports.Path("llama-mini/ts-sdpa"), "--targets", "q,v", "--rank", "4");

    [Test]
    public void Every_family_has_a_row()
    {
        using var rows = JsonDocument.Parse(CommandLine.Run("methods", "--width", "64", "--heads", "4", "--layers", "2", "--json").Output);

        Assert.That(rows.RootElement.EnumerateArray().Select(row => row.GetProperty("method").GetString()), Is.EqualTo(AdapterFamilies.All.Select(family => family.Method)));
        Assert.That(
            rows.RootElement[0].EnumerateObject().Select(field => field.Name),
            Is.EqualTo(new[] { "method", "trainable", "foldable", "reason", "formula", "counts", "remark", "shares", "percentOfModel", "adapterBytes" }));
    }

    [Test]
    public void Every_family_says_what_it_does() =>
        Assert.That(Rows("--width", "64", "--heads", "4", "--layers", "2").Select(row => row.GetProperty("formula").GetString()), Is.All.Not.Empty);

    [Test]
    public void The_ranks_of_the_papers_table_are_counted_beside_the_one_asked_for()
    {
        var row = Rows("--width", "4096", "--heads", "32", "--layers", "32", "--targets", "q,v", "--rank", "16").First();

        Assert.That(
            row.GetProperty("counts").EnumerateArray().Select(count => (count.GetProperty("rank").GetInt32(), count.GetProperty("trainable").GetInt64())),
            Is.EqualTo(new[] { (4, 17160L), (16, 68640), (64, 274560) }));
        Assert.That(row.GetProperty("trainable").GetInt64(), Is.EqualTo(68640));
    }

    [Test]
    public void Lorta_saves_what_the_paper_says_for_each_way_to_share()
    {
        var shares = Rows("--width", "4096", "--heads", "32", "--layers", "32", "--targets", "q,v", "--rank", "4")
            .First().GetProperty("shares").EnumerateArray()
            .Select(share => (share.GetProperty("share").GetString(), share.GetProperty("trainable").GetInt64(), Math.Round(share.GetProperty("saving").GetDouble(), 4)));

        Assert.That(shares, Is.EqualTo(new[]
        {
            ("heads-matrices-layers", 17160L, 0.4761), ("heads-matrices", 32 * 4 * (4096 + 128 + 32 + 2), 0.48), ("heads", 64 * 4 * (4096 + 128 + 32), 0.4805),
        }));
    }

    [Test]
    public void An_option_counts_for_the_families_that_have_it()
    {
        var rows = Rows("--width", "64", "--heads", "4", "--layers", "2", "--ffn", "256", "--targets", "q", "--option", "bases=10", "--option", "share=heads");

        var counted = rows.Where(row => row.GetProperty("trainable").ValueKind == JsonValueKind.Number);
        Assert.That(counted.ToDictionary(row => row.GetProperty("method").GetString()!, row => row.GetProperty("trainable").GetInt64()), Is.SupersetOf(new Dictionary<string, long>
        {
            ["nola"] = 2 * 2 * 10,
            ["lorta"] = 2 * 8 * (64 + 16 + 4),
            ["lora"] = 2 * 8 * (64 + 64),
        }));
    }

    [TestCase("shares=heads", "shares: no family has such an option")]
    [TestCase("share=layers", "must be one of")]
    [TestCase("share", "'share' is not understood")]
    public void A_wrong_option_is_refused(string option, string sentence)
    {
        var run = CommandLine.Run("methods", "--width", "64", "--heads", "4", "--layers", "2", "--option", option);

        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain(sentence));
    }

    [TestCase("--width", "64", "--heads", "4")]
    [TestCase("--width", "64", "--heads", "5", "--layers", "2")]
    [TestCase("--width", "64", "--heads", "4", "--layers", "2", "--kv-heads", "3")]
    [TestCase("--width", "64", "--heads", "4", "--layers", "2", "--targets", "w")]
    [TestCase("--width", "64", "--heads", "4", "--layers", "2", "--targets", "q,q")]
    public void Numbers_that_make_no_transformer_are_wrong_usage(params string[] numbers)
    {
        var run = CommandLine.Run(["methods", .. numbers]);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((2, string.Empty)));
        Assert.That(run.Error, Does.Match("^error LRT\\d+: .+\nhint: .+\n$"));
    }

    [TestCase("--ffn")]
    [TestCase("--vocab")]
    public void Sizes_are_at_least_one(string size)
    {
        var run = CommandLine.Run("methods", "--width", "64", "--heads", "4", "--layers", "2", size, "-5");

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Match($"^error: {size}: must be from 1 to \\d+, was -5\\.\n"));
    }

    [TestCase("--targets", "gate,q", "layers.0.gate: its width is not among the given sizes")]
    [TestCase("--rank", "2000000000", "must be <= 1024, 16 times the largest input or output (64)")]
    public void What_a_family_cannot_count_has_a_reason(string option, string value, string reason)
    {
        var run = CommandLine.Run("methods", "--width", "64", "--heads", "4", "--layers", "2", option, value, "--json");

        using var rows = JsonDocument.Parse(run.Output);
        Assert.That(run.ExitCode, Is.Zero);
        var ofRank = rows.RootElement.EnumerateArray().Where(row => TakesAnyMatrix(row.GetProperty("method").GetString()!)).ToList();
        Assert.That(ofRank.Select(row => row.GetProperty("trainable").ValueKind), Is.Not.Empty.And.All.EqualTo(JsonValueKind.Null));
        Assert.That(ofRank.Select(row => row.GetProperty("reason").GetString()), Is.All.Contain(reason));
    }

    // At a width of 64 and 2 layers; the MLP has 256.
    [TestCase("ia3", "q,v", ExpectedResult = 2 * (64 + 64 + 256))]
    [TestCase("ia3", "v", ExpectedResult = 2 * 64)]
    [TestCase("loretta_adp", "q,v", ExpectedResult = 2 * 2 * ((2 * 440) + 64 + 64))]
    public long Family_with_places_of_its_own_is_counted_there_where_it_does_not_know_the_targets(string method, string targets) =>
        Count(method, "--width", "64", "--heads", "4", "--layers", "2", "--ffn", "256", "--targets", targets);

    private static bool TakesAnyMatrix(string method) =>
        AdapterFamilies.All.Single(family => family.Method == method).Create(new AdapterOptions { Method = method }) is { HasRank: true } family && family.Targets == FamilyTargets.LinearLayers;

    private static List<JsonElement> Rows(params string[] arguments)
    {
        var run = CommandLine.Run(["methods", .. arguments, "--json"]);
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        using var rows = JsonDocument.Parse(run.Output);
        return [.. rows.RootElement.EnumerateArray().Select(row => row.Clone())];
    }

    private static long Count(string method, params string[] arguments) =>
        Rows(arguments).Single(row => row.GetProperty("method").GetString() == method).GetProperty("trainable").GetInt64();
}
