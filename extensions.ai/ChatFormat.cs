using System.Text;
using LoRTA.Onnx.Runtime;
using Microsoft.Extensions.AI;

namespace LoRTA.Onnx.Extensions.AI;

/// <summary>How the messages of a chat become the text that a decoder continues: what a chat template says.</summary>
/// <param name="Write">Writes the text, up to where the answer begins.</param>
public sealed record ChatFormat(Func<IReadOnlyList<ChatMessage>, string> Write)
{
    private const string Begin = "<|im_start|>";
    private const string End = "<|im_end|>";

    /// <summary>Texts that end an answer, beside the tokens that end every text of the model.</summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>The texts of the messages, one after the other on lines of their own: for decoders that know no chats, and continue the
    /// last of them.</summary>
    public static ChatFormat Plain { get; } = new(messages => string.Join('\n', messages.Select(message => message.Text)));

    /// <summary>Each message between markers, with its role in the first line (ChatML): Qwen, SmolLM2 and others. Markers inside a
    /// message are left out, so that nobody writes in another's name.</summary>
    public static ChatFormat ChatMl { get; } = new(WriteChatMl) { StopTexts = [End] };

    /// <summary>The format that fits a tokenizer: ChatML where it knows its markers, else plain texts.</summary>
    public static ChatFormat Of(TextGenerator generator) => generator.HasToken(Begin) && generator.HasToken(End) ? ChatMl : Plain;

    private static string WriteChatMl(IReadOnlyList<ChatMessage> messages)
    {
        var text = new StringBuilder();
        foreach (var message in messages) text.Append($"{Begin}{message.Role.Value}\n{WithoutMarkers(message.Text)}{End}\n");
        return text.Append($"{Begin}{ChatRole.Assistant.Value}\n").ToString();
    }

    // One character after the other, as what is left when a marker goes may be one again.
    private static string WithoutMarkers(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            kept.Append(character);
            foreach (var marker in (string[])[Begin, End])
                if (EndsIn(kept, marker)) kept.Length -= marker.Length;
        }
        return kept.ToString();
    }

    private static bool EndsIn(StringBuilder text, string marker)
    {
        if (text.Length < marker.Length || text[^1] != marker[^1]) return false;
        return text.ToString(text.Length - marker.Length, marker.Length) == marker;
    }
}
