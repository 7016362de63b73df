using System.Text.Json;
using LoRTA.Onnx.Cli.Verbs;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Tests;

internal sealed class ApplicationTests
{
    private static readonly string[] JsonFlag = ["--json"];

    [TestCase("schema", "recipe")]
    [TestCase("schema", "adapter", "--json")]
    [TestCase("--json", "schema", "recipe")]
    public void A_schema_is_one_json_document(params string[] args)
    {
        var run = CommandLine.Run(args);

        using var document = JsonDocument.Parse(run.Output);
        Assert.That(document.RootElement.GetProperty("$schema").GetString(), Does.StartWith("https://json-schema.org/"));
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
    }

    [TestCase("lorta --help", "--help")]
    [TestCase("lorta --help", "schema", "--help")]
    [TestCase("lorta --help", "--version")]
    public void Help_and_version_are_results(string _, params string[] args)
    {
        var run = CommandLine.Run(args);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((0, string.Empty)));
        Assert.That(run.Output, Is.Not.Empty);
    }

    [Test]
    public void The_help_lists_the_verbs() => Assert.That(CommandLine.Run("--help").Output, Does.Contain("schema <adapter|recipe>").Or.Contain("schema"));

    [TestCase("'lorta --help'", "nonsense")]
    [TestCase("'lorta schema --help'", "schema")]
    [TestCase("'lorta schema --help'", "schema", "model")]
    [TestCase("'lorta schema --help'", "schema", "recipe", "--bogus")]
    public void Wrong_usage_is_one_sentence_and_a_hint_with_exit_code_2(string hint, params string[] args)
    {
        var run = CommandLine.Run(args);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((2, string.Empty)));
        Assert.That(run.Error, Does.Match($"^error: .+\nhint: See {hint}\\.\n$"));
    }

    [TestCase("trian", ExpectedResult = "error: Unknown command 'trian'.")]
    [TestCase("--bogus", ExpectedResult = "error: Unknown option '--bogus'.")]
    public string An_unknown_word_is_named(string word) => CommandLine.Run(word).Error.Split('\n')[0];

    [TestCase("--top-k: 'x' is no whole number.", "--top-k", "x")]
    [TestCase("--seed: '1.5' is no whole number.", "--seed", "1.5")]
    [TestCase("--max-tokens: must be from -2147483648 to 2147483647, was 3000000000.", "--max-tokens", "3000000000")]
    [TestCase("--temperature: 'warm' is no number.", "--temperature", "warm")]
    public void What_is_no_number_is_said_in_words_of_the_option(string message, params string[] option)
    {
        var run = CommandLine.Run(["generate", "model.onnx", "--prompt", "And", .. option]);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((2, $"error: {message}\nhint: See 'lorta generate --help'.\n")));
    }

    [Test]
    public void A_run_is_continued_or_replaced() =>
        Assert.That(CommandLine.Run("train", "recipe.yaml", "--resume", "--force").Error, Does.StartWith("error LRT126: --resume, --force: "));

    [TestCase("--steps", "train.steps"), TestCase("--learning-rate", "train.optimizer.lr"), TestCase("--max_length=64", "data.maxLength")]
    public void An_option_that_is_a_key_of_the_recipe_leads_to_set(string option, string key) =>
        Assert.That(CommandLine.Run("train", "recipe.yaml", option, "8").Error, Does.Contain($"Did you mean '--set {key}=…'?"));

    [TestCase("--data", "Did you mean '--set data.train=…' or '--set data.validation=…'?")]
    [TestCase("--optimizer", "Did you mean '--set train.optimizer.name=…' or '--set train.optimizer.lr=…'?")]
    [TestCase("--name", "Did you mean '--set train.optimizer.name=…' or '--set train.schedule.name=…'?")]
    public void An_option_that_several_keys_may_be_leads_to_all_of_them(string option, string hint) =>
        Assert.That(CommandLine.Run("train", "recipe.yaml", option, "8").Error, Does.Contain(hint));

    [TestCase("train", "trian")]
    [TestCase("train", "finetune")]
    [TestCase("export", "merge")]
    [TestCase("export", "merge", "model", "--adapter", "x", "-o", "out")]
    [TestCase("train", "--quiet", "finetune", "recipe.yaml", "--lr", "1")]
    [TestCase("evaluate", "eval")]
    [TestCase("generate", "gen")]
    [TestCase("--output", "export", "model", "--ouput", "out")]
    [TestCase("--rank", "methods", "--rnak", "4")]
    [TestCase("--adapter", "evaluate", "recipe.yaml", "--adaptor", "x")]
    [TestCase("--rank", "methods", "--rnak=4")]
    public void A_near_miss_is_answered_by_what_was_meant(string meant, params string[] args)
    {
        var run = CommandLine.Run(args);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain($"hint: Did you mean '{meant}'?"));
    }

    [Test]
    public void Without_arguments_there_is_help() => Assert.That(CommandLine.Run().Output, Is.EqualTo(CommandLine.Run("--help").Output));

    [Test]
    public void A_record_becomes_one_json_document_in_camel_case()
    {
        var run = CommandLine.Do(_ => new TrainingReport { Steps = 3, Loss = double.NaN, TrainingLoss = 1, Adapter = "a", Data = new() { Rows = 1, Cut = 0, TokensCut = 0, WithoutLabel = 0, Empty = 0 } }, JsonFlag);

        using var document = JsonDocument.Parse(run.Output);
        Assert.That(document.RootElement.GetProperty("peakMemoryBytes").GetInt64(), Is.Zero);
    }

    [TestCase(true, ExpectedResult = false)]
    [TestCase(false, ExpectedResult = true)]
    public bool Warnings_of_a_run_are_in_its_table_where_they_were_not_said_before(bool areSaid)
    {
        var report = new TrainingReport { Steps = 3, TrainingLoss = 1, Warnings = ["Too high."] };

        Assert.That(CommandLine.Do(_ => new TrainResult(report, areSaid), JsonFlag).Output, Does.Contain("Too high."));
        return CommandLine.Do(_ => new TrainResult(report, areSaid)).Output.Contains("Too high.", StringComparison.Ordinal);
    }

    [Test]
    public void The_training_loss_of_a_run_without_a_step_is_there_and_null()
    {
        var result = new TrainingReport { Steps = 0, TrainingLoss = null, Adapter = "a", Data = new() { Rows = 1, Cut = 0, TokensCut = 0, WithoutLabel = 0, Empty = 0 } };

        using var document = JsonDocument.Parse(CommandLine.Do(_ => result, JsonFlag).Output);

        Assert.That(document.RootElement.GetProperty("trainingLoss").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public void A_record_becomes_a_table_and_its_lists_of_records_tables_of_their_own()
    {
        var run = CommandLine.Do(_ => new { Method = "lorta", Metrics = new { Accuracy = 0.5 }, Factors = new[] { new { Name = "A[0]", Shape = new[] { 8, 4 } } } });

        Assert.That(run.Output, Is.EqualTo("""
            method            lorta
            metrics.accuracy  0.5

            factors:
            name  shape
            A[0]  8, 4

            """));
    }

    [TestCase(true, ExpectedResult = 0)]
    [TestCase(false, ExpectedResult = 1)]
    public int A_verdict_decides_the_exit_code(bool ok) => CommandLine.Do(_ => new Verdict(ok)).ExitCode;

    [TestCase(false, ExpectedResult = 1)]
    [TestCase(true, ExpectedResult = 2)]
    public int A_failure_is_a_sentence_and_a_hint(bool isUsage)
    {
        var run = CommandLine.Do(_ => throw new LortaException("LRT999", "x.onnx: broken.", "Mend it.") { IsUsage = isUsage });

        Assert.That(run.Error, Is.EqualTo("error LRT999: x.onnx: broken.\nhint: Mend it.\n"));
        Assert.That(run.Output, Is.Empty);
        return run.ExitCode;
    }

    [TestCase("a b.tsv, line 3: a tab is missing.", ExpectedResult = "a b.tsv(3): error LRT999: a tab is missing.\nhint: Mend it.\n")]
    [TestCase("a b.tsv: line 3: key: is missing.", ExpectedResult = "a b.tsv(3): error LRT999: key: is missing.\nhint: Mend it.\n")]
    [TestCase("a b.tsv: 2 problems\n  line 3: x\n  line 4: y", ExpectedResult = "a b.tsv(3): error LRT999: 2 problems\n  line 3: x\n  line 4: y\nhint: Mend it.\n")]
    [TestCase("It is broken.", ExpectedResult = "a b.tsv(3): error LRT999: It is broken.\nhint: Mend it.\n")]
    public string A_failure_in_a_line_of_a_file_leads_there(string message) =>
        CommandLine.Do(_ => throw new LortaException("LRT999", message, "Mend it.") { Origin = new("a b.tsv", 3) }).Error;

    [Test]
    public void A_failure_under_json_is_one_document_in_one_line_of_standard_error()
    {
        var run = CommandLine.Do(_ => throw new LortaException("LRT999", "x.onnx: „broken“.", "Mend it."), JsonFlag);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, string.Empty)));
        Assert.That(run.Error, Is.EqualTo("""{"error":{"code":"LRT999","message":"x.onnx: „broken“.","hint":"Mend it.","exitCode":1}}""" + "\n"));
    }

    [TestCase("--json", "nonsense")]
    [TestCase("schema", "recipe", "--bogus", "--json")]
    public void Wrong_usage_under_json_is_a_document_too(params string[] args)
    {
        var run = CommandLine.Run(args);

        using var document = JsonDocument.Parse(run.Error);
        var error = document.RootElement.GetProperty("error");
        Assert.That((run.ExitCode, error.GetProperty("exitCode").GetInt32()), Is.EqualTo((2, 2)));
        Assert.That(error.GetProperty("message").GetString(), Does.StartWith("Unknown "));
    }

    [Test]
    public void A_failed_verdict_is_a_sentence_below_its_result()
    {
        var run = CommandLine.Do(_ => new Cli.Verdict(new { Difference = 0.25 }, new LortaException("LRT999", "They differ.", "Accept it.")));

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, "difference  0.25\n")));
        Assert.That(run.Error, Is.EqualTo("error LRT999: They differ.\nhint: Accept it.\n"));
    }

    [Test]
    public void An_unexpected_failure_shows_no_stack_trace()
    {
        var run = CommandLine.Do(_ => throw new InvalidOperationException("odd\nmore"));

        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith("error: Unexpected InvalidOperationException: odd.\nhint: ").And.Not.Contain("   at "));
    }

    [Test]
    public void Stopping_gives_130_with_the_result_after_a_clean_save()
    {
        using var stop = new CancellationTokenSource();

        var run = CommandLine.Do(
            _ =>
            {
                stop.Cancel();
                return new { Steps = 3 };
            },
            JsonFlag,
            stop.Token);

        Assert.That(run.ExitCode, Is.EqualTo(130));
        Assert.That(run.Output, Does.Contain("\"steps\": 3"));
    }

    [Test]
    public void Stopping_without_a_result_gives_130_and_a_word()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        var run = CommandLine.Do(call => throw new OperationCanceledException(call.Stop), stop: stop.Token);

        Assert.That((run.ExitCode, run.Output, run.Error), Is.EqualTo((130, string.Empty, "Stopped.\n")));
    }

    [Test]
    public void Progress_goes_to_standard_error_in_lines()
    {
        var run = CommandLine.Do(Report);

        Assert.That(run.Error, Is.EqualTo("reading\nstep 1/2  loss 0.5000  lr 0  0 samples/s  0 tokens/s  0 MB\nevaluation after step 1  loss 0.2500\n"));
    }

    [Test]
    public void Quiet_shows_no_progress() => Assert.That(CommandLine.Do(Report, ["--quiet"]).Error, Is.Empty);

    [TestCase("--device tpu", "--device: must be cpu, cuda or cuda:N, was 'tpu'.")]
    [TestCase("--threads 0", "--threads: must be >= 1, was 0.")]
    [TestCase("--rank 0", "--rank: must be >= 1, was 0.")]
    [TestCase("--share 7", "--share: must be from 1 to 6, was 7.")]
    [TestCase("--limit NaN", "--limit: must be a number >= 0, was NaN.")]
    [TestCase("--limit -1", "--limit: must be a number >= 0, was -1.")]
    [TestCase("--limit Infinity", "--limit: must be a number >= 0, was Infinity.")]
    public void Common_options_are_checked(string args, string expected)
    {
        var (share, limit) = (Opt.Within(Opt.Of("--share", "A number.", "N", 2), 1, 6), Opt.NotNegative(Opt.Of<double?>("--limit", "Another.")));

        var run = CommandLine.Do(_ => 1, args.Split(' '), CancellationToken.None, Opt.Device(), Opt.Threads(), Opt.Rank(), share, limit);

        Assert.That((run.ExitCode, run.Error.Split('\n')[0]), Is.EqualTo((2, $"error: {expected}")));
    }

    [Test]
    public void Targets_are_parted_by_commas()
    {
        var targets = Opt.Targets();

        var run = CommandLine.Do(call => call.Get(targets), ["--targets", "q, v", "--json"], CancellationToken.None, targets);

        Assert.That(JsonSerializer.Deserialize<string[]>(run.Output), Is.EqualTo(new[] { "q", "v" }));
    }

    private static object Report(Call call)
    {
        call.Progress.Report("reading");
        call.Progress.Report(new StepEvent { Step = 1, Steps = 2, Loss = 0.5 });
        call.Progress.Report(new EvaluationEvent { Step = 1, Loss = 0.25 });
        return new { Steps = 1 };
    }

    private sealed record Verdict(bool Ok) : IVerdict;
}
