using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace ClipOod.Notebook;

/// <summary>
/// Halves of the classes of one data set: one is ID, the other OOD, and both are of one source, so that neither origin nor size of the
/// pictures can give the answer away.
/// </summary>
/// <remarks>
/// Of every class a seed deals half of the images to learn from, a quarter to validate and a quarter to test; the OOD side is the testing
/// quarter of the other half, so that both sides are as large. Of the four images of a class of ImageNet that is two, one and one.
/// </remarks>
internal sealed class ClassSplits(Dataset set)
{
    private const int FewestClasses = 4, FewestImages = 4;

    private static readonly Lazy<IReadOnlyList<int>> _imageNetX = new(ReadImageNetX);

    private readonly ConcurrentDictionary<int, Lazy<(FeatureSet Train, FeatureSet Validation, FeatureSet Test)>> _deals = new();

    /// <summary>The classes of ImageNet, of 0 to 999 in the usual order, that are ID in ImageNet-X (arXiv 2501.18463): half of each group of siblings in WordNet.</summary>
    public static IReadOnlyList<int> ImageNetX => _imageNetX.Value;

    /// <summary>Half of the classes, rounded down, ascending.</summary>
    /// <param name="split">Seed of the draw.</param>
    public IReadOnlyList<int> Draw(int split)
    {
        int[] classes = [.. Enumerable.Range(0, set.NumClasses)];
        new Random(split).Shuffle(classes);
        return [.. classes[..(classes.Length / 2)].Order()];
    }

    /// <summary>The ID side, and the images of the other classes.</summary>
    /// <param name="role">What to call the ID side.</param>
    /// <param name="id">The classes that are ID.</param>
    /// <param name="how">How these were chosen, for the note.</param>
    /// <param name="seed">Of the deal of the images.</param>
    /// <exception cref="InvalidOperationException">There are too few classes, or a class has too few images.</exception>
    public (Dataset Id, FeatureSet Ood) Make(string role, IReadOnlyList<int> id, string how, int seed)
    {
        (FeatureSet train, FeatureSet validation, FeatureSet test) = _deals.GetOrAdd(
            seed, _ => new(() => Deal(seed))).Value;
        int[] ood = [.. Enumerable.Range(0, set.NumClasses).Except(id)];
        return (new Dataset(
            role,
            train.WithClasses(id),
            validation.WithClasses(id),
            test.WithClasses(id),
            [.. Enumerable.Range(0, id.Count)],
            [.. set.TextByPrompt.Values.OrderBy(text => text.Prompt != set.DefaultPrompt).Select(text => text.Select(id))],
            string.Create(CultureInfo.InvariantCulture, $"{id.Count:N0} of the {set.NumClasses:N0} classes are ID, {how}; of every class a seed deals half of the images to train, a quarter to validation and a quarter to test. {set.Note}")),
            test.WithClasses(ood));
    }

    private (FeatureSet Train, FeatureSet Validation, FeatureSet Test) Deal(int seed)
    {
        FeatureSet all = set.All;
        if (set.NumClasses < FewestClasses)
        {
            throw new InvalidOperationException(
                $"{set.Name} has {set.NumClasses} classes with text features here, expected at least {FewestClasses}: a split needs two on each side. Split a data set of more classes.");
        }

        int[] images = new int[set.NumClasses];
        foreach (int label in all.Labels)
        {
            images[label]++;
        }

        if (images.Min() is int fewest and < FewestImages)
        {
            throw new InvalidOperationException(
                $"{set.Name} has {fewest} images of {set.Classes[Array.IndexOf(images, fewest)]}, expected at least {FewestImages} of every class: two to train, one to validate, one to test.");
        }

        (FeatureSet train, FeatureSet rest) = all.SplitStratified(0.5, seed);
        (FeatureSet validation, FeatureSet test) = rest.SplitStratified(0.5, seed);
        return (train.WithSplit("train"), validation.WithSplit("validation"), test.WithSplit("test"));
    }

    private static IReadOnlyList<int> ReadImageNetX()
    {
        using Stream file = typeof(ClassSplits).Assembly.GetManifestResourceStream("imagenet-x.json")
            ?? throw new InvalidOperationException("The library has no resource imagenet-x.json. Build it again.");
        using JsonDocument json = JsonDocument.Parse(file);
        return [.. json.RootElement.GetProperty("idClasses").EnumerateArray().Select(number => number.GetInt32())];
    }
}
