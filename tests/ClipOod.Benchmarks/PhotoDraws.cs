using System.Diagnostics;
using System.Globalization;
using ClipOod.Clip;
using ClipOod.Notebook;

namespace ClipOod.Benchmarks;

/// <summary>
/// Own images as a stranger to this project would have them: 5 known classes of 20 photographs, 15 other classes, many draws, through the
/// ResNet-18 that photographs go through without CLIP weights.
/// </summary>
internal static class PhotoDraws
{
    private const int KnownClasses = 5;
    private const int OtherClasses = 15;
    private const int Images = 20;
    private const int FewestOfAClass = 25;

    /// <summary>Draws, and prints the row of the README.</summary>
    /// <param name="folder">A subfolder of photographs per class, 20 classes or more of 25 photographs.</param>
    /// <param name="draws">Number of draws; draw i has the seed i.</param>
    public static int Run(string folder, int draws)
    {
        using ResNet18Encoder model = ResNet18Encoder.Load();
        FeatureSet all = Encode(ImageFolder.Open(folder), model);
        List<double> detector = [], nearest = [], alarms = [], caught = [], sorted = [];
        for (int draw = 0; draw < draws; draw++)
        {
            var random = new Random(draw);
            int[] classes = [.. Enumerable.Range(0, all.NumClasses)];
            random.Shuffle(classes);
            int[] rows = [.. Enumerable.Range(0, all.Count)];
            random.Shuffle(rows);
            int[][] known = [.. classes[..KnownClasses].Select(k => rows.Where(row => all.Labels[row] == k).ToArray())];
            int[] test = [.. known.SelectMany(of => of.Skip(Images).Take(Images))];
            int[] others = [.. classes[KnownClasses..(KnownClasses + OtherClasses)].SelectMany(k => rows.Where(row => all.Labels[row] == k).Take(Images))];
            FeatureSet train = all.Select([.. known.SelectMany(of => of.Take(Images))]).WithClasses(classes[..KnownClasses]);

            NoveltyDetector fitted = NoveltyDetector.Fit(train, new() { Model = ResNet18Encoder.ModelName });
            NoveltyReport familiar = fitted.Judge(all.Features.Select(test)), strange = fitted.Judge(all.Features.Select(others));
            NearestNeighbors neighbours = NearestNeighbors.Fit(train.Features);
            detector.Add(Metrics.Auroc(familiar.Scores, strange.Scores));
            nearest.Add(Metrics.Auroc(neighbours.Cosine(all.Features.Select(test)), neighbours.Cosine(all.Features.Select(others))));
            alarms.Add(familiar.Verdicts.Average(row => row.PValue <= NoveltyDetector.FalseAlarm ? 1.0 : 0));
            caught.Add(strange.Verdicts.Average(row => row.PValue <= NoveltyDetector.FalseAlarm ? 1.0 : 0));
            sorted.Add(familiar.Verdicts.Average(row => row.Class == all.ClassOf(test[row.Index]) ? 1.0 : 0));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"draw {draw}: AUROC {detector[^1]:F4}, 1-NN {nearest[^1]:F4}; {string.Join(", ", fitted.Classes)}"));
        }

        string Both(List<double> values) => string.Create(CultureInfo.InvariantCulture, $"{100 * values.Average():F1} % ({100 * values.Min():F1} %)");
        string Mean(List<double> values) => string.Create(CultureInfo.InvariantCulture, $"{100 * values.Average():F1} %");
        Console.WriteLine($"| {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))} | {Both(detector)} | {Both(nearest)} | {Mean(alarms)} | {Mean(caught)} | {Mean(sorted)} |");
        return 0;
    }

    /// <summary>At most twice as many images of a class as a draw takes to learn from, drawn with seed 0.</summary>
    private static FeatureSet Encode(ImageFolder folder, ResNet18Encoder model)
    {
        int[] order = [.. Enumerable.Range(0, folder.Files.Count)];
        new Random(0).Shuffle(order);
        int[][] large = [.. order.GroupBy(i => folder.Labels[i]).OrderBy(group => group.Key).Where(group => group.Count() >= FewestOfAClass).Select(group => group.Take(2 * Images).Order().ToArray())];
        int[] rows = [.. large.SelectMany(of => of)];
        Stopwatch clock = Stopwatch.StartNew();
        ClipEncoding encoding = model.EncodeImages([.. rows.Select(i => folder.Files[i])]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{large.Length} classes, {encoding.Count} photographs, {encoding.Count / clock.Elapsed.TotalSeconds:F1} a second"));
        return encoding.ToFeatureSet("photographs", "", [.. large.SelectMany((of, k) => of.Select(_ => k))], [.. large.Select(of => folder.Classes[folder.Labels[of[0]]])]);
    }
}
