namespace ClipOod.Notebook;

internal static class RandomExtensions
{
    public static double Between(this Random random, double low, double high) => low + ((high - low) * random.NextDouble());

    public static bool Chance(this Random random, double probability) => random.NextDouble() < probability;

    public static T Choose<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];
}
