namespace ClipOod.Autodiff;

/// <summary>
/// Learning-rate schedules: functions from the number of a step (from 0) to the factor of the learning rate.
/// </summary>
public static class Schedule
{
    /// <summary>
    /// Linear from 0 at step 0 to 1 at step <paramref name="warmup"/>, then half a cosine to <paramref name="final"/>
    /// at step <paramref name="total"/>, where it stays.
    /// </summary>
    /// <param name="total">Number of steps of the training, above <paramref name="warmup"/>.</param>
    /// <param name="warmup">Number of steps of the warm-up, at least 0.</param>
    /// <param name="final">The last factor.</param>
    /// <exception cref="ArgumentOutOfRangeException">The warm-up is negative or not shorter than the training.</exception>
    public static Func<long, double> Cosine(long total, long warmup = 0, double final = 0)
    {
        RequireWarmup(total, warmup);
        return step => step < warmup
            ? (double)step / warmup
            : final + ((1 - final) * 0.5 * (1 + Math.Cos(Math.PI * Progress(step, warmup, total))));
    }

    private static double Progress(long step, long warmup, long total) => Math.Min(1, (double)(step - warmup) / (total - warmup));

    private static void RequireWarmup(long total, long warmup)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(warmup);
        if (total <= warmup)
        {
            throw new ArgumentOutOfRangeException(
                nameof(total), total, FormattableString.Invariant($"A training of {total} steps has no room for a warm-up of {warmup}: make it longer, or the warm-up shorter."));
        }
    }
}
