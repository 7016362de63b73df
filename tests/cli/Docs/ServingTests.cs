using LoRTA.Onnx.Extensions.AI;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using Microsoft.Extensions.AI;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Runs the program of <c>docs/serving.md</c>.</summary>
internal sealed class ServingTests
{
    [Test]
    public void The_page_shows_the_method_that_is_run_here() =>
        Assert.That(PageBlock.Of("docs/serving.md")[0].IsMethodOf("tests/cli/Docs/ServingTests.cs"));

    [Test]
    public async Task It_answers_with_the_adapter()
    {
        using var folder = new TestFolder();
        var model = OnnxModel.Load(Repository.Path("models/llama-mini"));
        var adapter = Trained(model);
        adapter.Save(folder["alice"]);
        using var engine = new OrtEngine();
        using var alone = new TextGenerator(engine, model, new() { Adapter = adapter });

        var answer = await Answer(model.Path, folder["alice"], "In the beginning");

        Assert.That(answer, Is.EqualTo(alone.Continue("In the beginning", new() { MaxTokens = 20 }).Text));
    }

    // None of its factors is zero.
    private static Adapter Trained(OnnxModel model)
    {
        var options = new AdapterOptions { Method = "lora", Rank = 2, Targets = ["q", "v"] };
        var plan = AdapterPlan.Of(UnderstoodModel.Of(model), options);
        return DeployedInjection.WithInputs(model, options, RandomTensor.Factors(plan), seed: 0).Adapter;
    }

    // page
    private static async Task<string> Answer(string model, string adapterFolder, string question)
    {
        using var engine = new OrtEngine();
        var adapter = Adapter.Load(adapterFolder);
        using var host = new AdapterHost(engine, OnnxModel.Load(model), adapter.Config.AdapterOptions);
        host.Add("alice", adapter);

        using var generator = new TextGenerator(host);
        foreach (var piece in generator.Stream(question, new() { MaxTokens = 20 })) Console.Write(piece.Text);   // the base model

        using var chat = host.AsChatClient();
        var answer = await chat.GetResponseAsync(question, new() { ModelId = "alice", MaxOutputTokens = 20 });
        return answer.Text;
    }
    // end
}
