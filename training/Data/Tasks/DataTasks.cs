using LoRTA.Onnx.Training.Data.Tokenizers;
using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training.Data.Tasks;

/// <summary>The tasks by the names that recipes use.</summary>
internal static class DataTasks
{
    private static readonly SortedDictionary<string, Func<DataOptions, TextTokenizer, IDataTask>> Makers = new(StringComparer.Ordinal)
    {
        ["classification"] = (options, tokenizer) => new SequenceTask(options, tokenizer, LabelKind.Class),
        ["regression"] = (options, tokenizer) => new SequenceTask(options, tokenizer, LabelKind.Number),
        ["token-classification"] = (options, tokenizer) => new TokenTask(options, tokenizer),
        ["masked-lm"] = (options, tokenizer) => new MaskedTask(options, tokenizer),
        ["causal-lm"] = (options, tokenizer) => new CausalTask(options, tokenizer),
        ["loss"] = (options, tokenizer) => options.OwnLabels is LabelKind.NextToken ? new CausalTask(options, tokenizer) : new SequenceTask(options, tokenizer, options.OwnLabels),
    };

    public static IDataTask Create(DataOptions options, TextTokenizer tokenizer) =>
        Makers.TryGetValue(options.Task, out var make) ? make(options, tokenizer) : throw DataErrors.UnknownTask(options.Task, Makers.Keys);
}
