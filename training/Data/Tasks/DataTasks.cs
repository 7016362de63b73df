using LoRTA.Onnx.Training.Data.Tokenizers;
using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training.Data.Tasks;

/// <summary>The tasks by the names that recipes use.</summary>
internal static class DataTasks
{
    private static readonly SortedDictionary<string, Func<DataOptions, TextTokenizer, long, IDataTask>> Makers = new(StringComparer.Ordinal)
    {
        ["classification"] = (options, tokenizer, _) => new SequenceTask(options, tokenizer, LabelKind.Class),
        ["regression"] = (options, tokenizer, _) => new SequenceTask(options, tokenizer, LabelKind.Number),
        ["token-classification"] = (options, tokenizer, _) => new TokenTask(options, tokenizer),
        ["masked-lm"] = (options, tokenizer, seed) => new MaskedTask(options, tokenizer, seed),
        ["causal-lm"] = (options, tokenizer, _) => new CausalTask(options, tokenizer),
    };

    public static IDataTask Create(string name, DataOptions options, TextTokenizer tokenizer, long seed) =>
        Makers.TryGetValue(name, out var make) ? make(options, tokenizer, seed) : throw DataErrors.UnknownTask(name, Makers.Keys);
}
