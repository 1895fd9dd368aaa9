using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Images as the seminar's slide shows them: the true class, the predicted class, the uncertainty, the threshold of the predicted class,
/// and the decision. Pictures where there are pixels, else a table of the same. A ✓ is a decision that suits: flagged where the answer
/// is wrong or the image is of no class of the model, left alone where it is right.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class DecisionCards
{
    private readonly ImageGrid? _grid;
    private readonly ResultTable? _table;

    private DecisionCards(ImageGrid? grid, ResultTable? table) => (_grid, _table) = (grid, table);

    /// <summary>Shows decisions on some of N images.</summary>
    /// <param name="images">The N images, with their true classes.</param>
    /// <param name="predictions">What a model says of them; N of them.</param>
    /// <param name="thresholds">One per class of the model.</param>
    /// <param name="classes">The names of the model's classes.</param>
    /// <param name="rows">The images to show, each 0 to N−1, at least one.</param>
    /// <exception cref="ArgumentException">There is no row, or the numbers of images or classes differ.</exception>
    public static DecisionCards Of(
        FeatureSet images, Predictions predictions, ClassThresholds thresholds, IReadOnlyList<string> classes, IEnumerable<int> rows)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(thresholds);
        ArgumentNullException.ThrowIfNull(classes);
        int[] shown = [.. rows];
        if (shown.Length == 0 || predictions.Count != images.Count || classes.Count != thresholds.NumClasses)
        {
            throw new ArgumentException(
                $"Got {shown.Length} rows, {predictions.Count} predictions of {images.Count} images and {classes.Count} names of {thresholds.NumClasses} classes, expected at least one row and as many of each.",
                nameof(rows));
        }

        bool entropy = thresholds.Measure == Uncertainty.Entropy;
        bool[] flags = thresholds.Flag(predictions);
        string Said(int i) => classes[predictions.Predicted[i]];
        double Value(int i) => entropy ? predictions.Entropy[i] : predictions.Confidence[i];
        double Limit(int i) => thresholds.PerClass[predictions.Predicted[i]];
        bool Suits(int i) => flags[i] == (Said(i) != images.ClassOf(i));
        string Decision(int i) => flags[i] ? "uncertain" : "certain";
        string Compared(int i) => string.Create(
            CultureInfo.InvariantCulture, $"{Value(i):F3} {(flags[i] == entropy ? ">" : "<")} {Limit(i):F3}, {Decision(i)}");
        if (images.Images is not null)
        {
            return new DecisionCards(
                ImageGrid.Show(
                    images.Images.Select(shown),
                    [.. shown.Select(i => ($"{images.ClassOf(i)}, taken for {Said(i)}\n{Compared(i)}", (bool?)Suits(i)))],
                    columns: 5),
                null);
        }

        return new DecisionCards(null, new ResultTable($"{images.Name}: no pixels here, so in words")
            .Text("Image of", shown.Select(images.ClassOf))
            .Text("Predicted", shown.Select(Said))
            .Number(entropy ? "Entropy" : "Confidence", shown.Select(Value))
            .Number("Threshold", shown.Select(Limit))
            .Text("Decision", shown.Select(i => $"{(Suits(i) ? "✓" : "✗")} {Decision(i)}")));
    }

    /// <summary>The cards as an HTML fragment.</summary>
    public string ToHtml() => _grid?.ToHtml() ?? _table!.ToHtml();

    /// <summary>The captions, or the table as text.</summary>
    public override string ToString() => (_grid is null ? $"{_table}" : $"{_grid}");
}
