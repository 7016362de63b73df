using Cake.Core;
using Cake.Core.Diagnostics;
using LoRTA.Onnx.Tests.Shared;

namespace Cake.LoRTA.Tests;

/// <summary>What is started, where it is found, and what becomes of what it says.</summary>
internal sealed class LortaToolTests
{
    private const string Init = """{ "recipe": "recipe.yaml", "task": "causal-lm" }""";

    private TestFolder _folder = null!;

    [SetUp]
    public void Create() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void Settings_become_options()
    {
        var settings = new LortaTrainSettings
        {
            Output = "runs/of today",
            Set = { ["train.steps"] = "300", ["data.labels"] = "[no, yes]" },
            Force = true,
            Resume = true,
            Seed = 7,
        };

        Assert.That(Arguments(context => context.LortaTrain("a.yaml", With(settings))), Is.EqualTo(
            "train a.yaml -o \"runs/of today\" --set train.steps=300 --set \"data.labels=[no, yes]\" --resume --force --seed 7 --json"));
    }

    [Test]
    public void Without_settings_there_are_only_arguments()
    {
        PutOnPath("lorta");

        Assert.That(Arguments(context => context.LortaExport("base", "adapter", "out")), Is.EqualTo("export base --adapter adapter -o out --json"));
    }

    [Test]
    public void The_options_of_an_adapter_are_passed_on()
    {
        var settings = new LortaArtifactsSettings { AdapterOptions = { Method = "lora", Rank = 4, Alpha = 0.5, Targets = { "q", "v" }, Layers = "0,2-5", Options = { ["zero"] = "B" } } };

        Assert.That(Arguments(context => context.LortaArtifacts("base", "out", "causal-lm", With(settings))), Is.EqualTo(
            "artifacts base -o out --task causal-lm --method lora --rank 4 --alpha 0.5 --targets q,v --layers 0,2-5 --option zero=B --json"));
    }

    [TestCase("a b", "\"a b\"")]
    [TestCase("", "\"\"")]
    [TestCase("say \"hi\"", "\"say \\\"hi\\\"\"")]
    [TestCase(@"C:\my models\", @"""C:\my models\\""")]
    [TestCase(@"a\\""b", @"""a\\\\\""b""")]
    [TestCase(@"C:\models\", @"C:\models\")]
    public void Arguments_arrive_as_they_were_given(string argument, string quoted) =>
        Assert.That(Arguments(context => context.LortaInspect(argument, With(new LortaInspectSettings()))), Is.EqualTo($"inspect {quoted} --json"));

    [Test]
    public void A_tool_of_the_manifest_comes_first()
    {
        PutOnPath("lorta", "dotnet");
        WriteManifest(".", """{ "version": 1, "isRoot": true, "tools": { "lorta.onnx.tool": { "version": "0.1.0", "commands": ["lorta"] } } }""");

        var runner = Run(context => context.LortaInit("base"));

        Assert.That((Path.GetFileName(runner.Program), runner.Arguments), Is.EqualTo(("dotnet", "tool run lorta -- init base --json")));
    }

    [Test]
    public void A_manifest_above_counts_up_to_a_root()
    {
        PutOnPath("lorta", "dotnet");
        WriteManifest(".", """{ "version": 1, "isRoot": true, "tools": { "lorta.onnx.tool": { "version": "0.1.0", "commands": ["lorta"] } } }""");
        Directory.CreateDirectory(_folder["inner"]);
        Assert.That(Path.GetFileName(Run(context => context.LortaInit("base"), "inner").Program), Is.EqualTo("dotnet"));

        WriteManifest("inner", """{ "version": 1, "isRoot": true, "tools": {} }""");
        Assert.That(Path.GetFileName(Run(context => context.LortaInit("base"), "inner").Program), Is.EqualTo("lorta"));
    }

    [Test]
    public void The_tools_folder_comes_before_the_path()
    {
        PutOnPath("lorta");
        Directory.CreateDirectory(_folder["tools"]);
        _folder.Write("tools/lorta", string.Empty);

        Assert.That(Run(context => context.LortaInit("base")).Program, Is.EqualTo(_folder["tools", "lorta"]));
    }

    [Test]
    public void A_path_in_the_settings_overrides_the_manifest()
    {
        WriteManifest(".", """{ "version": 1, "tools": { "lorta.onnx.tool": { "version": "0.1.0", "commands": ["lorta"] } } }""");

        Assert.That(Arguments(context => context.LortaInit("base", With(new LortaInitSettings()))), Is.EqualTo("init base --json"));
    }

    [Test]
    public void A_tool_that_is_nowhere_is_named() =>
        Assert.That(() => Run(context => context.LortaInit("base")), Throws.TypeOf<CakeException>().With.Message.Contains("lorta"));

    [Test]
    public void Progress_and_warnings_go_to_the_log()
    {
        var context = Context(new RecordingRunner(Init, "Step 1  loss 2.5 {0}\nWarning: The loss grows."));

        context.LortaInit("base", With(new LortaInitSettings()));

        Assert.That(context.Lines.Where(line => line.Level <= LogLevel.Information),
            Is.EqualTo(new[] { (LogLevel.Information, "Step 1  loss 2.5 {0}"), (LogLevel.Warning, "Warning: The loss grows.") }));
    }

    [Test]
    public void A_failure_has_code_hint_and_exit_code()
    {
        const string said = "{\"error\":{\"code\":\"LRT101\",\"message\":\"base: no such file or folder.\",\"hint\":\"Check the path.\",\"exitCode\":1}}";

        var failure = Assert.Throws<CakeException>(() => Context(new RecordingRunner("", $"Reading …\n{said}", 1)).LortaInit("base", With(new LortaInitSettings())))!;

        Assert.That(failure.Message, Is.EqualTo("lorta init: error LRT101: base: no such file or folder.\nhint: Check the path."));
        Assert.That((failure.ExitCode, failure.Data["Code"], failure.Data["Hint"]), Is.EqualTo((1, "LRT101", "Check the path.")));
    }

    [Test]
    public void A_process_that_says_no_code_is_quoted()
    {
        var context = Context(new RecordingRunner("", "Run \"dotnet tool restore\" to make the \"lorta\" command available.", 1));

        Assert.That(() => context.LortaInit("base", With(new LortaInitSettings())), Throws.TypeOf<CakeException>().With.Message.Contains("dotnet tool restore"));
    }

    [Test]
    public void A_check_that_did_not_pass_gives_its_record_where_the_exit_code_is_handled()
    {
        const string result = """{ "maxAbsDiff": 1, "maxRelDiff": 0.5, "deployedMaxAbsDiff": "NaN", "tolerance": 1E-05, "effectKept": null, "ok": false }""";
        var settings = With(new LortaVerifySettings { HandleExitCode = _ => true });

        var verified = Context(new RecordingRunner(result, "{\"error\":{\"code\":\"LRT606\",\"message\":\"…\",\"hint\":\"…\",\"exitCode\":1}}", 1)).LortaVerify("a", "b", settings);

        Assert.That((verified.Ok, verified.MaxRelDiff, verified.DeployedMaxAbsDiff), Is.EqualTo((false, 0.5, double.NaN)));
    }

    [TestCase("")]
    [TestCase("no JSON")]
    [TestCase("""{ "recipe": "recipe.yaml" }""")]
    [TestCase("""{ "recipe": null, "task": "causal-lm" }""")]
    public void A_result_of_another_version_is_refused(string output)
    {
        var context = Context(new RecordingRunner(output));

        Assert.That(() => context.LortaInit("base", With(new LortaInitSettings())), Throws.TypeOf<CakeException>().With.Message.Contains("same version"));
    }

    private string Arguments(Action<ScriptContext> call) => Run(call).Arguments;

    private RecordingRunner Run(Action<ScriptContext> call, string folder = ".")
    {
        var runner = new RecordingRunner();
        try
        {
            call(Context(runner, folder));
        }
        catch (CakeException) when (runner.Program is not null)
        {
            return runner;   // the result is empty
        }
        return runner;
    }

    private ScriptContext Context(RecordingRunner runner, string folder = ".")
    {
        var context = new ScriptContext(Path.GetFullPath(_folder[folder]), runner);
        context.SetPath(_folder["path"]);
        return context;
    }

    private T With<T>(T settings)
        where T : LortaSettings
    {
        settings.ToolPath = _folder.Write("lorta", string.Empty);
        return settings;
    }

    private void PutOnPath(params string[] programs)
    {
        Directory.CreateDirectory(_folder["path"]);
        foreach (var program in programs) _folder.Write($"path/{program}", string.Empty);
    }

    private void WriteManifest(string folder, string text)
    {
        Directory.CreateDirectory(_folder[folder, ".config"]);
        File.WriteAllText(_folder[folder, ".config", "dotnet-tools.json"], text);
    }
}
