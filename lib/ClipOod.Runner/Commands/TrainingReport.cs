using ClipOod.Notebook;
using ClipOod.Runner.Rendering;
using Html = ClipOod.Runner.Rendering.Html;

namespace ClipOod.Runner.Commands;

/// <summary>The page that shows how a model was trained and what it can do.</summary>
internal static class TrainingReport
{
    /// <summary>Writes <c>report/index.html</c>.</summary>
    /// <param name="folder">The folder that gets the folder <c>report</c>.</param>
    /// <param name="model">Name of the model.</param>
    /// <param name="manifest">What was measured.</param>
    /// <returns>The path of the page.</returns>
    public static string Write(string folder, string model, PictogramManifest manifest)
    {
        string report = Path.Combine(folder, "report");
        SiteWriter.WritePage(report, PageFrame.Page("index", $"Model {model}", $"<span>Model {Html.Text(model)}</span>", $"""
            <main id="content"><header class="title"><h1>The tiny CLIP “{Html.Text(model)}”</h1>
            <p class="facts">{Html.Text(FormattableString.Invariant(
                $"{manifest.Parameters:N0} parameters, trained from scratch on {manifest.Pictures:N0} drawn pictures in {manifest.Seconds / 60:F1} minutes on {manifest.Cores} cores."))}
            <br><code>{Html.Text(manifest.Command)}</code></p></header>
            {Curve("Contrastive loss", "Loss in nats", manifest, m => m.Loss)}
            {Accuracies(manifest)}
            {Curve("Logit scale", "Factor from cosines to logits", manifest, m => m.LogitScale)}
            {Table("Zero-shot accuracy on test pictures", "Data set and prompt", "Accuracy", manifest.Accuracy)}
            {Table("AUROC on test pictures", "Data set, OOD set, score", "AUROC", manifest.Auroc)}
            </main>
            """));
        return Path.Combine(report, "index.html");
    }

    private static string Accuracies(PictogramManifest manifest)
    {
        double[] steps = Steps(manifest);
        return Charts.Line("Zero-shot accuracy on validation pictures", "Updates", "Accuracy",
        [
            ("A", steps, [.. manifest.History.Select(m => m.AccuracyA)]),
            ("all concepts", steps, [.. manifest.History.Select(m => m.AccuracyAll)]),
        ]).ToHtml();
    }

    private static string Curve(string title, string axis, PictogramManifest manifest, Func<PictogramMeasurement, double> value) =>
        Charts.Line(title, "Updates", axis, [(title, Steps(manifest), [.. manifest.History.Select(value)])]).ToHtml();

    private static double[] Steps(PictogramManifest manifest) => [.. manifest.History.Select(m => (double)m.Step)];

    private static string Table(string title, string what, string value, IReadOnlyDictionary<string, double> values) =>
        new ResultTable(title).Text(what, values.Keys).Percent(value, values.Values).ToHtml();
}
