using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Predictions;

/// <summary>Predicts labels or numbers for rows without labels, with the readers, the encoder and the graph that an evaluation
/// uses.</summary>
/// <param name="progress">Told what became of the rows, and how far it is.</param>
internal sealed class Predictor(IProgress<object> progress)
{
    /// <summary>Predicts, and writes the output whole or not at all.</summary>
    /// <exception cref="LortaException">Anything that does not fit, before anything is written.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing is written.</exception>
    public PredictionResult Run(PredictionRequest request, CancellationToken stop)
    {
        PredictionFile.Check(request.Output, request.Force, request.Inputs);
        request.Model.Settings.CheckDevice();
        var task = TrainingTasks.Of(request.Model.Catalog.LossOf(request.Model.Recipe.Task));
        if (task.Predictions is null) throw PredictionErrors.NotPredicted(request.Model.Recipe.Model, task.Name);
        progress.Report(WorkProgress.Uncounted("reading model and rows"));
        var rows = ReadRows(request);

        var model = request.IsBareModel
            ? request.Model with { Recipe = BareModel.WithColumns(request.Model.Recipe, rows) }
            : request.Model;
        var (recipe, graph, values, warning) = TrainingRun.Measured(model);
        if (warning is not null) progress.Report(TrainingRun.Warning(warning));
        var output = graph.Logits!;
        graph.RemoveLoss();
        var context = DataContext.Of(recipe, graph) with { HasLabels = false };
        var data = new DataSource(context).Encode(rows);
        Report(request.Input, data.Counts);

        using var runtime = request.Model.Settings.Open(graph, values);
        var predicted = Predict(data, task.Predictions(context.Labels), batch => runtime.Forward(batch)[output], stop);
        CheckFinite(rows, predicted);
        foreach (var note in PredictionFile.Write(request.Output, rows, predicted)) progress.Report(note);
        return new PredictionResult(rows.Count, request.Output, task.Name, data.Counts);
    }

    private static IReadOnlyList<DataRow> ReadRows(PredictionRequest request)
    {
        var options = request.Model.Recipe.Data;
        if (request.ReadContent is not { } read)
            return RowReader.Read(request.Input, request.Format ?? RowReader.FormatOf(request.Input) ?? options.Format, options.Separator);
        var content = read();
        var format = request.Format ?? options.Format ?? RowReader.FormatOf(content) ?? RowReader.FormatOf(options.Train) ?? "tsv";
        return RowReader.Read(request.Input, content, format, options.Separator);
    }

    // In the order of the rows, whatever the order of the batches.
    private IReadOnlyList<PredictedCell>[] Predict(
        DataStream data, IPredictions predictions, Func<Batch, GraphGen.OnnxTensor> evaluate, CancellationToken stop)
    {
        var predicted = new IReadOnlyList<PredictedCell>[data.Count];
        var done = 0;
        foreach (var batch in data.InOrder().Prefetch(2))
        {
            stop.ThrowIfCancellationRequested();
            var samples = batch.Indices.Select(index => data.Samples[index]).ToList();
            foreach (var (index, cells) in batch.Indices.Zip(predictions.Read(evaluate(batch), samples))) predicted[index] = cells;
            done += batch.Rows;
            progress.Report(new WorkProgress("rows predicted", done, data.Count));
        }
        return predicted;
    }

    private void Report(string input, DataCounts counts)
    {
        progress.Report(string.Create(
            CultureInfo.InvariantCulture, $"{Path.GetFileName(input)}: {counts.Rows:N0} {(counts.Rows == 1 ? "row" : "rows")}"));
        if (counts.Cut > 0)
            progress.Report(string.Create(CultureInfo.InvariantCulture,
                $"{counts.Cut:N0} of {counts.Rows:N0} rows {(counts.Cut == 1 ? "was" : "were")} cut at {counts.MaxLength:N0} tokens"));
        if (counts.Empty > 0)
            progress.Report(string.Create(CultureInfo.InvariantCulture,
                $"{counts.Empty:N0} of {counts.Rows:N0} rows {(counts.Empty == 1 ? "has" : "have")} an empty text"));
    }

    private static void CheckFinite(IReadOnlyList<DataRow> rows, IReadOnlyList<PredictedCell>[] predicted)
    {
        foreach (var (row, cells) in rows.Zip(predicted))
        {
            if (cells.Any(cell => cell.IsBroken))
                throw PredictionErrors.NotFinite(row.Path, row.Line);
        }
    }
}
