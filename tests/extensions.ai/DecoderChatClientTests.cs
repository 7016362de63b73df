using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using Microsoft.Extensions.AI;

namespace LoRTA.Onnx.Extensions.AI.Tests;

internal sealed class DecoderChatClientTests
{
    private const string Prompt = "In the beginning";
    private static readonly OrtEngine Engine = new();

    private AdapterHost _host = null!;
    private TextGenerator _generator = null!;
    private IChatClient _chat = null!;

    [OneTimeSetUp]
    public void Open()
    {
        _host = new AdapterHost(Engine, LlamaMini.Model, LlamaMini.Shape);
        _host.Add("alice", LlamaMini.Adapter(1));
        _host.Add("bob", LlamaMini.Adapter(2));
        _generator = new TextGenerator(_host);
        _chat = _host.AsChatClient();
    }

    [OneTimeTearDown]
    public void Close()
    {
        _chat.Dispose();
        _generator.Dispose();
        _host.Dispose();
    }

    [TestCase("alice")]
    [TestCase("bob")]
    [TestCase(null)]
    public async Task The_model_id_names_the_adapter_that_answers(string? name)
    {
        var expected = _generator.Continue(Prompt, new() { Adapter = name, MaxTokens = 12 });

        var answer = await _chat.GetResponseAsync(Prompt, new() { ModelId = name, MaxOutputTokens = 12 });

        Assert.That((answer.Text, answer.ModelId), Is.EqualTo((expected.Text, name)));
        Assert.That(answer.FinishReason, Is.EqualTo(ChatFinishReason.Length));
        Assert.That((answer.Usage!.InputTokenCount, answer.Usage.OutputTokenCount), Is.EqualTo(((long?)expected.Prompt.Count, (long?)12)));
    }

    [Test]
    public async Task Adapters_answer_differently()
    {
        var texts = new List<string>();
        foreach (var name in new[] { "alice", "bob", null })
            texts.Add((await _chat.GetResponseAsync(Prompt, new() { ModelId = name, MaxOutputTokens = 12 })).Text);

        Assert.That(texts, Is.Unique);
    }

    [Test]
    public async Task Updates_make_the_answer()
    {
        var whole = await _chat.GetResponseAsync(Prompt, new() { ModelId = "alice", MaxOutputTokens = 12 });

        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in _chat.GetStreamingResponseAsync(Prompt, new() { ModelId = "alice", MaxOutputTokens = 12 })) updates.Add(update);

        Assert.That(updates, Has.Count.GreaterThan(5));
        var joined = updates.ToChatResponse();
        Assert.That((joined.Text, joined.FinishReason, joined.ModelId), Is.EqualTo((whole.Text, whole.FinishReason, "alice")));
        Assert.That(joined.Usage!.TotalTokenCount, Is.EqualTo(whole.Usage!.TotalTokenCount));
    }

    [Test]
    public async Task A_stop_sequence_ends_the_answer()
    {
        var answer = await _chat.GetResponseAsync(Prompt, new() { StopSequences = [" LORD"] });

        Assert.That((answer.Text, answer.FinishReason), Is.EqualTo((" of the", ChatFinishReason.Stop)));
    }

    [Test]
    public async Task Sampling_is_as_the_chat_asks()
    {
        var expected = _generator.Continue(Prompt, new()
        {
            MaxTokens = 12,
            Sampling = new() { Temperature = 1, TopK = 50, TopP = 0.5, Seed = 3 },
        });

        var answer = await _chat.GetResponseAsync(Prompt, new() { MaxOutputTokens = 12, Temperature = 1, TopK = 50, TopP = 0.5f, Seed = 3 });

        Assert.That(answer.Text, Is.EqualTo(expected.Text));
        Assert.That(answer.Text, Is.Not.EqualTo(_generator.Continue(Prompt, new() { MaxTokens = 12 }).Text));
    }

    [Test]
    public async Task Instructions_come_before_the_messages()
    {
        var answer = await _chat.GetResponseAsync(Prompt, new() { Instructions = "The sea", MaxOutputTokens = 5 });

        Assert.That(answer.Text, Is.EqualTo(_generator.Continue($"The sea\n{Prompt}", new() { MaxTokens = 5 }).Text));
    }

    [Test]
    public async Task An_unknown_adapter_is_refused_with_its_code()
    {
        var failure = (await Assert.ThrowsAsync<LortaException>(() => _chat.GetResponseAsync(Prompt, new() { ModelId = "alise" })))!;

        Assert.That((failure.Code, failure.Hint), Is.EqualTo(("LRT618", "Did you mean 'alice'? There is alice, bob.")));
    }

    [Test]
    public async Task An_answer_that_is_called_off_throws()
    {
        using var stop = new CancellationTokenSource();

        await Assert.CatchAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _chat.GetStreamingResponseAsync(Prompt, cancellationToken: stop.Token)) await stop.CancelAsync();
        });
        await Assert.CatchAsync<OperationCanceledException>(() => _chat.GetResponseAsync(Prompt, cancellationToken: stop.Token));
    }

    private static IEnumerable<TestCaseData> Refused =>
    [
        new(new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]), new ChatOptions(), "DataContent"),
        new(new ChatMessage(ChatRole.User, Prompt), new ChatOptions { Tools = [new HostedWebSearchTool()] }, "tools"),
        new(new ChatMessage(ChatRole.User, Prompt), new ChatOptions { ResponseFormat = ChatResponseFormat.Json }, "JSON"),
        new(new ChatMessage(ChatRole.User, Prompt), new ChatOptions { PresencePenalty = 0.5f }, "penalty"),
    ];

    [TestCaseSource(nameof(Refused))]
    public async Task What_is_no_text_is_refused(ChatMessage message, ChatOptions options, string what)
    {
        var failure = (await Assert.ThrowsAsync<NotSupportedException>(() => _chat.GetResponseAsync(message, options)))!;

        Assert.That(failure.Message, Does.Contain(what));
    }

    [Test]
    public void It_says_what_it_is_made_of()
    {
        using var chat = _generator.AsChatClient();

        Assert.That(chat.GetService<TextGenerator>(), Is.SameAs(_generator));
        Assert.That(chat.GetService<ChatClientMetadata>()!.ProviderName, Is.EqualTo("lorta"));
        Assert.That(chat.GetService<IChatClient>(), Is.SameAs(chat));
        Assert.That(chat.GetService<string>(), Is.Null);
    }

    [Test]
    public void A_generator_that_was_passed_in_stays_open()
    {
        _generator.AsChatClient().Dispose();

        Assert.That(_generator.Continue(Prompt, new() { MaxTokens = 1 }).Ids, Has.Count.EqualTo(1));
    }
}
