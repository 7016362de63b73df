using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;

namespace LoRTA.Onnx.Cli.Tests.Display;

internal sealed class ResultsTests
{
    [TestCase(0, ExpectedResult = "0")]
    [TestCase(0.12345678, ExpectedResult = "0.1235")]
    [TestCase(3.8301, ExpectedResult = "3.83")]
    [TestCase(-12.3456, ExpectedResult = "-12.35")]
    [TestCase(1.23456e-7, ExpectedResult = "1.235e-7")]
    [TestCase(12345.678, ExpectedResult = "12,346")]
    [TestCase(1e30, ExpectedResult = "1e30")]
    public string Numbers_have_four_significant_digits(double number) => Numbers.Text(JsonValue.Create(number));

    [TestCase(999, ExpectedResult = "999 B")]
    [TestCase(5_504, ExpectedResult = "5.504 kB")]
    [TestCase(4_173_190, ExpectedResult = "4.173 MB")]
    [TestCase(4_700_000_000, ExpectedResult = "4.7 GB")]
    public string Bytes_have_a_unit(long bytes) => Numbers.Bytes(bytes);

    [Test]
    public void Whole_numbers_have_thousands_separators_and_what_is_empty_has_no_row() =>
        Assert.That(Lines(new { Trainable = 1234567, Loss = (double?)null, Metrics = new Dictionary<string, double>(), Note = "", PeakMemoryBytes = 230_000_000, Ok = true }, 80), Is.EqualTo(new[]
        {
            "trainable        1,234,567",
            "peakMemoryBytes  230 MB",
            "ok               yes",
        }));

    [Test]
    public void The_heading_of_a_table_is_wrapped() =>
        Assert.That(
            Lines(new Dictionary<string, object> { ["a heading that is wider than the page, since it says all"] = new[] { new { Count = 5 } } }, 40),
            Is.EqualTo(new[] { "a heading that is wider than the page,", "since it says all:", "count", "    5" }));

    [Test]
    public void A_table_is_aligned_by_spaces_with_numbers_at_the_right() =>
        Assert.That(Lines(new[] { new { Name = "A", Count = 5 }, new { Name = "long name", Count = 1200 } }, 80), Is.EqualTo(new[]
        {
            "name       count",
            "A              5",
            "long name  1,200",
        }));

    [Test]
    public void A_column_that_is_too_wide_is_broken_between_words()
    {
        var lines = Lines(new[] { new { Name = "A", Text = string.Join(' ', Enumerable.Repeat("word", 20)) } }, 40);

        Assert.That(lines, Has.All.Length.LessThanOrEqualTo(40));
        Assert.That(lines.Skip(1).Take(2), Is.EqualTo(new[] { "A     word word word word word word word", "      word word word word word word word" }));
    }

    [Test]
    public void A_table_that_does_not_fit_becomes_a_block_for_each_record()
    {
        var lines = Lines(new[] { new { First = new string('a', 30), Second = new string('b', 30) }, new { First = "c", Second = "d" } }, 40);

        Assert.That(lines, Is.EqualTo(new[] { $"First   {new string('a', 30)}".ToLowerInvariant(), $"second  {new string('b', 30)}", "", "first   c", "second  d" }));
    }

    [Test]
    public void Commands_to_try_next_are_never_broken()
    {
        var command = $"lorta train {new string('r', 40)}.yaml --set adapter.rank=16";

        Assert.That(Lines(new { Loss = 1, Next = new[] { command, "lorta inspect m" } }, 40), Is.EqualTo(new[]
        {
            "loss  1",
            "",
            "next:",
            $"  {command}",
            "  lorta inspect m",
        }));
    }

    [Test]
    public void A_word_that_is_longer_than_the_line_is_cut() =>
        Assert.That(Lines(new { Weight = new string('x', 90) }, 50).Select(line => line.Length), Is.EqualTo(new[] { 50, 50, 14 }));

    [Test]
    public void A_long_list_is_cut_and_counted() =>
        Assert.That(Lines(new { Sites = Enumerable.Range(0, 1200).Select(index => $"q{index}") }, 200), Is.EqualTo(new[]
        {
            "sites  q0, q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11, … (1,200 in all)",
        }));

    [Test]
    public void Nothing_has_lines_of_boxes_or_spaces_at_the_end()
    {
        var run = CommandLine.Run("methods", "--width", "64", "--heads", "4", "--layers", "2");

        Assert.That(run.Output.Split('\n').Where(line => line.EndsWith(' ') || line.Any(letter => letter is >= '\u2500' and <= '\u257f')), Is.Empty);
    }

    private static List<string> Lines(object result, int width) => [.. Results.Lines(result, width)];
}
